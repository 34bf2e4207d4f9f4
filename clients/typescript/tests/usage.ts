// A program that uses the package as it is installed. The tests compile it and do not run it.

import type { TypedDocumentNode } from "@graphql-typed-document-node/core";
import { Activity, connect, FollowDocument, isRoomEvent, logIn, type StreamItem, type Wire } from "rookery-client";
import type { Store } from "rookery-client/store";

declare const rooms: TypedDocumentNode<{ viewer: { position: string } | null }, { first?: number }>;
declare const topic: TypedDocumentNode<
  { setRoomTopic: { refusal: { code: Wire.RefusalCode; message: string } | null } },
  { input: { roomId: string; topic: string } }
>;
declare function show(text: string | null): void;

const { signal } = new AbortController();
const url = "https://chat.example.org";
const { token } = await logIn({ url }, { username: "ada", password: "correct horse battery staple" }, { signal });
const client = await connect<{ text: string }>({ url, token }, { signal });

const { viewer } = await client.query(rooms, { first: 20 }, { signal });
show(viewer?.position ?? null);
// @ts-expect-error: the document has no such variable
await client.query(rooms, { last: 20 });
const { server } = await client.query<{ server: { name: string } }>("{ server { name } }");
show(server.name);

const { refusal } = await client.act(topic, { roomId: "!tower", topic: "Birds" }).answer;
if (refusal?.code === "INSUFFICIENT_POWER") show(refusal.message);
// @ts-expect-error: the topic is missing
client.act(topic, { roomId: "!tower" });

const sent = await client.send("!tower", "Nevermore", { draft: { text: "Nevermore" }, signal }).answer;
show(sent.event?.eventId ?? null);
const once = await client.sendOnce("reply to $event", "!tower", "Evermore", { signal });
show(once.event?.eventId ?? null);
await client.setTyping("!tower", true, { timeoutSeconds: 10, signal });
await client.setPresence("UNAVAILABLE", { statusMessage: "at tea" });
// @ts-expect-error: there is no such presence
await client.setPresence("BUSY");

function handle(item: StreamItem): void {
  if (isRoomEvent(item)) show(client.echoes.acknowledge(item)?.text ?? item.text);
  else if (item.__typename === "RoomOpened") show(item.room.name);
  // @ts-expect-error: only events of rooms have it
  else show(item.text);
}

const activity = new Activity();
for await (const chunk of client.follow({ ephemeral: true, filter: null, signal })) {
  activity.take(chunk);
  chunk.events.forEach(handle);
  show(activity.typing.get("!tower")?.join() ?? null);
}
for await (const { position } of client.follow({ document: FollowDocument })) show(position);
for await (const batch of client.consume("archive", { max: 10, from: { beginning: true }, signal })) {
  batch.events.forEach((item) => show(item.__typename));
  // @ts-expect-error: typing does not come to consumers
  show(batch.ephemeral);
  await batch.acknowledge();
}
await client.acknowledge("archive", "a position", { signal });
await client.logOut({ everywhere: true, signal });

declare const store: Store;
const { echoId } = await store.send("!tower", { body: "Nevermore", mentions: ["@ada:example.org"] });
show(echoId);
store.subscribe("timeline:!tower", () => {
  for (const { rows } of store.get("timeline:!tower")?.segments ?? []) for (const row of rows) show(row.senderName);
});
show(store.get("home")?.rooms[0]?.displayName ?? null);
show(store.get("room:!tower")?.can?.sendMessages ? "write" : "read");
