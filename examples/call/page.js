// The page: who is logged in, and the one call of this user.

import { Call } from "./call.js";
import { Server } from "./server.js";

const CALL = `fragment Known on Call {
  callId state media endReason partyId callerPartyId answeredByPartyId
  room { roomId } caller { userId } callee { userId }
}`;
const STREAM = `subscription Stream {
  eventStream {
    events { __typename ... on CallChanged { call { ...Known } } }
    ephemeral {
      __typename
      ... on CallSignal {
        number kind sdp candidates { candidate sdpMid sdpMLineIndex usernameFragment }
        call { ...Known }
      }
    }
  }
}
${CALL}`;
const NOW = `query Now { viewer { user { userId } call { ...Known } } }
${CALL}`;
const ENTRANCES = {
  logIn: `mutation LogIn($input: LogInInput!) { logIn(input: $input) { token refusal { code message } } }`,
  register: `mutation Register($input: RegisterInput!) { register(input: $input) { token refusal { code message } } }`,
};

const element = (id) => document.getElementById(id);
const server = new Server(new URL("/graphql", location.href).href);
const relay = new URLSearchParams(location.search).has("relay");
let me = null;
let call = null;
let following = null;

function say(text) {
  element("status").textContent = text;
}

/** Runs what a user asked for, and shows why it did not work. */
async function attempt(work) {
  try {
    await work();
  } catch (error) {
    say(error.message);
  }
}

function showCall(state, peer) {
  element("ringing").hidden = state === null;
  element("place").hidden = me === null || state !== null;
  element("answer").hidden = element("reject").hidden = state !== "rings";
  element("hang-up").hidden = state === "rings";
  element("peer").textContent = peer ?? "";
}

function show(stream) {
  const video = element("remote");
  if (video.srcObject !== stream) video.srcObject = stream;
}

function showOwn() {
  element("local").srcObject = call?.local ?? null;
}

function forget() {
  call?.close();
  call = null;
  element("remote").srcObject = element("local").srcObject = null;
  showCall(null);
}

/** The call of a stream's item, if it is the one of this page, or becomes it. */
function known({ callId, media, state, room, caller }) {
  if (state === "ENDED") return call?.id === callId ? call : null;
  if (call === null && caller.userId !== me) {
    call = new Call(server, { room: room.roomId, media, id: callId, isCaller: false, show, relay });
  }
  return call?.id === callId ? call : null;
}

/** Follows the state of the call that the log has. */
async function changed(told) {
  // The answer to `placeCall` may come after the stream has the call.
  if (call?.id === null && told.caller.userId === me) return;
  if (known(told) === null) return;
  if (told.state === "ENDED") {
    say(`The call has ended: ${told.endReason}`);
    forget();
  } else if (told.state === "RINGING") {
    const isMine = told.caller.userId === me;
    showCall(isMine ? "calls" : "rings", isMine ? `Calling ${told.callee.userId}` : `${told.caller.userId} calls`);
  } else if (told.partyId !== null && [told.callerPartyId, told.answeredByPartyId].includes(told.partyId)) {
    call.answered = true;
    showCall("talks", "In a call");
    say("Connected");
  } else {
    say("Answered on another device");
    forget();
  }
}

/** A stream begins: this page may have missed the begin or the end of a call. */
async function look() {
  const { viewer } = await server.ask(NOW);
  const now = viewer.call;
  if (call?.id && now?.callId !== call.id) {
    say("The call has ended");
    forget();
  }
  if (now === null) return;
  const isMine = [now.callerPartyId, now.answeredByPartyId].includes(now.partyId);
  if (call === null && now.caller.userId === me && isMine) {
    call = new Call(server, { room: now.room.roomId, media: now.media, id: now.callId, show, relay });
  }
  await changed(now);
  // A page that was loaded again has no connection any more.
  if (call && isMine && !call.pc) {
    await call.renegotiate();
    showOwn();
  } else if (call?.isCaller && now.state === "RINGING") {
    await call.offerAgain();
  }
}

function next({ eventStream: { events, ephemeral } }) {
  for (const item of events) {
    if (item.__typename === "CallChanged") attempt(() => changed(item.call));
  }
  for (const item of ephemeral) {
    if (item.__typename !== "CallSignal" || item.call === null) continue;
    known(item.call)?.signal(item);
  }
}

async function enter(token) {
  server.token = token;
  sessionStorage.setItem("token", token);
  me = (await server.ask(NOW)).viewer.user.userId;
  element("me").textContent = me;
  element("entrance").hidden = true;
  showCall(null);
  following = new AbortController();
  server.follow(STREAM, { next, opened: () => attempt(look), signal: following.signal });
}

function leave() {
  following?.abort();
  forget();
  sessionStorage.removeItem("token");
  me = server.token = null;
  element("entrance").hidden = false;
  showCall(null);
}

element("entrance").addEventListener("submit", (event) => {
  event.preventDefault();
  const { username, password } = Object.fromEntries(new FormData(event.target));
  const way = event.submitter.value;
  attempt(async () => enter((await server.act(ENTRANCES[way], { username, password, deviceName: "call page" })).token));
});

element("place").addEventListener("submit", (event) => {
  event.preventDefault();
  const { room, callee } = Object.fromEntries(new FormData(event.target));
  const media = event.submitter.value;
  attempt(async () => {
    call = new Call(server, { room, media, show, relay });
    showCall("calls", `Calling ${callee}`);
    try {
      await call.place(callee);
      showOwn();
    } catch (error) {
      forget();
      throw error;
    }
  });
});

element("answer").addEventListener("click", () =>
  attempt(async () => {
    await call.answer();
    showOwn();
    showCall("talks", "In a call");
  }),
);
element("reject").addEventListener("click", () => attempt(() => call.reject()));
element("hang-up").addEventListener("click", () => attempt(() => call.hangUp()));
element("leave").addEventListener("click", () =>
  attempt(async () => {
    await server.ask(`mutation LogOut { logOut(input: {}) { refusal { code } } }`);
    leave();
  }),
);

// For tests: what the page connects with.
globalThis.currentCall = () => call;

const token = sessionStorage.getItem("token");
if (token) attempt(() => enter(token));
