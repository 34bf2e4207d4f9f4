// Measures how long a call needs from `placeCall` until it rings at the callee's device, and beside it how long a message
// needs to be there.
//
//   ROOKERY=target/release/rookery node tests/browser/ringing.mjs [ROUNDS]
//
// Prints a line of JSON for each: the median in milliseconds.

import { createClient } from "graphql-ws";
import WebSocket from "ws";
import { ask, register, roomOf } from "./api.mjs";
import { startServer } from "./relays.mjs";

const rounds = Number(process.argv[2] ?? 200);
const ends = [];
const at = await startServer({ after: (end) => ends.push(end) }, ["--limits-rate", "none"]);

const [ada, bob] = [await register(at, "ada"), await register(at, "bob")];
const room = await roomOf(at, [ada, bob]);

const client = createClient({
  url: `${at.replace("http", "ws")}/graphql`,
  webSocketImpl: WebSocket,
  connectionParams: { Authorization: `Bearer ${bob.token}` },
});
let arrived = () => {};
const follow = `subscription { eventStream { events {
  __typename ... on MessageEvent { text } ... on CallChanged { call { state } } } } }`;
await new Promise((resolve, reject) => {
  const next = ({ data }) => {
    resolve();
    for (const { __typename, call } of data.eventStream.events) {
      if (__typename === "MessageEvent" || call?.state === "RINGING") arrived(__typename);
    }
  };
  client.subscribe({ query: follow }, { next, error: reject, complete: () => {} });
});

/** From the begin of `act` until bob has an event of the type. */
async function took(type, act) {
  const there = new Promise((resolve) => (arrived = (it) => it === type && resolve(performance.now())));
  const begun = performance.now();
  const done = act();
  const time = (await there) - begun;
  return [time, await done];
}

const say = `mutation ($room: RoomID!) { sendMessage(input: { roomId: $room, body: "hello" }) { refusal { code } } }`;
const place = `mutation ($input: PlaceCallInput!) { placeCall(input: $input) { call { callId } refusal { code } } }`;
const hangUp = `mutation ($input: HangUpCallInput!) { hangUpCall(input: $input) { refusal { code } } }`;
const input = { roomId: room, calleeId: bob.userId, media: "AUDIO", offer: "v=0" };
const times = { message: [], call: [] };
for (let round = 0; round < rounds; round += 1) {
  times.message.push((await took("MessageEvent", () => ask(ada.token, say, { room }, at)))[0]);
  const [time, { placeCall }] = await took("CallChanged", () => ask(ada.token, place, { input }, at));
  times.call.push(time);
  await ask(ada.token, hangUp, { input: { roomId: room, callId: placeCall.call.callId } }, at);
}
for (const [name, all] of Object.entries(times)) {
  const p50_ms = all.sort((a, b) => a - b)[Math.floor(all.length / 2)];
  console.log(JSON.stringify({ name, rounds, p50_ms: Math.round(p50_ms * 100) / 100 }));
}
await client.dispose();
for (const end of ends) await end();
