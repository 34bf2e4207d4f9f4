// A whole chat with React: log in, rooms, timeline, send. Any number of tabs share one device. See README.md.

import { useEffect, useState } from "react";
import { createRoot } from "react-dom/client";
import { logIn } from "rookery-client";
import { StoreProvider, usePresence, useRooms, useSend, useStatus, useTimeline } from "rookery-client/react";
import { openStore, serveWorker, startEngine } from "rookery-client/store";

const url = process.env.SERVER ?? globalThis.location.origin;
const open = (session) => openStore({ session, worker: () => new SharedWorker("app.js", "chat"), start: startEngine });

function App() {
  const [session, setSession] = useState(() => JSON.parse(localStorage.getItem("session")));
  const [store, setStore] = useState(null);
  useEffect(() => {
    localStorage.setItem("session", JSON.stringify(session));
    if (!session) return setStore(null);
    const opened = open(session);
    opened.subscribe("status", () => opened.get("status").phase === "ended" && setSession(null));
    setStore(opened);
    return () => opened.close();
  }, [session]);
  if (!session) return <Login onLogin={setSession} />;
  return store && <StoreProvider store={store}><Chat logOut={() => store.logOut()} /></StoreProvider>;
}

function Login({ onLogin }) {
  const [fault, setFault] = useState("");
  const submit = async (data) => {
    const [username, password] = [data.get("username"), data.get("password")];
    try {
      const { token, deviceId, user } = await logIn({ url }, { username, password, deviceName: "React" });
      onLogin({ url, token, deviceId, userId: user.userId, since: Date.now() });
    } catch (error) {
      setFault(error.message);
    }
  };
  return (
    <form action={submit}>
      <label>User name <input name="username" required /></label>
      <label>Password <input name="password" type="password" required /></label>
      <button>Log in</button> <output>{fault}</output>
    </form>
  );
}

function Chat({ logOut }) {
  const rooms = useRooms();
  const [chosen, setChosen] = useState(null);
  const room = rooms.find(({ roomId }) => roomId === chosen) ?? rooms[0];
  return (
    <main>
      <nav>
        <p>{useStatus()?.phase} <button onClick={logOut}>Log out</button></p>
        {rooms.map(({ roomId, displayName, unreadCount }) => (
          <button key={roomId} onClick={() => setChosen(roomId)}>{displayName} {unreadCount || ""}</button>
        ))}
      </nav>
      {room && <Room key={room.roomId} roomId={room.roomId} />}
    </main>
  );
}

function Room({ roomId }) {
  const { segments, echoes, loadBefore } = useTimeline(roomId);
  const send = useSend(roomId);
  return (
    <section>
      <button onClick={() => loadBefore()} hidden={segments.at(-1)?.isStart}>Earlier</button>
      {segments.flatMap(({ rows }, index) => [
        index > 0 && <hr key={rows[0]?.eventId} title="There is more between these messages" />,
        ...rows.filter(({ content }) => content?.body).map((row) => <Message key={row.eventId} row={row} />),
      ])}
      {echoes.map(({ echoId, content, state }) => <p key={echoId} className={state}>{content?.body}</p>)}
      <form action={(data) => send(data.get("body"))}>
        <input name="body" aria-label="Message" autoComplete="off" required /> <button>Send</button>
      </form>
    </section>
  );
}

function Message({ row: { senderId, senderName, content } }) {
  const isHere = usePresence(senderId)?.presence === "ONLINE";
  return <p><b className={isHere ? "here" : ""}>{senderName ?? senderId}</b> {content.body}</p>;
}

if ("SharedWorkerGlobalScope" in globalThis) serveWorker(globalThis, startEngine);
else createRoot(document.getElementById("root")).render(<App />);
