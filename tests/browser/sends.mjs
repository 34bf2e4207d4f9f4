// Measures the sends of eight users beside 50 Mbit/s of relayed data: through the relay of the same server, and through
// coturn.
//
//   cargo build --release -p rookery-turn --example load
//   ROOKERY=target/release/rookery LOAD=target/release/examples/load COTURN=/usr/bin/turnserver \
//     TURN_SECRET=secret-of-a-measurement node tests/browser/sends.mjs [ROUNDS]
//
// Prints a line of JSON for each way and round: the number of sends, and their median and 99th percentile in milliseconds.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { ask, register, roomOf } from "./api.mjs";
import { freePort, startCoturn, startServer } from "./relays.mjs";

const USERS = 8;
const PAUSE_MS = 10;
const MEASURED_MS = 5000;

const rounds = Number(process.argv[2] ?? 4);
const ends = [];
const context = { after: (end) => ends.push(end) };
const ours = await freePort();
const at = await startServer(context, [
  ...["--limits-rate", "none", "--turn-listen", `127.0.0.1:${ours}`, "--turn-allowed-peers", "127.0.0.0/8"],
  ...["--turn-user-allocations", "100", "--turn-user-bandwidth", "100MiB"],
]);
const theirs = await startCoturn(context);

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

async function sender(number) {
  const user = await register(at, `user${number}`);
  return { token: user.token, room: await roomOf(at, [user]) };
}

const senders = await Promise.all(Array.from({ length: USERS }, (_, number) => sender(number)));
const say = `mutation ($room: RoomID!) { sendMessage(input: { roomId: $room, body: "hello" }) { refusal { code } } }`;

/** Each user sends one message after the other, in a room of their own. */
async function measure() {
  const times = [];
  const end = performance.now() + MEASURED_MS;
  const send = async ({ token, room }) => {
    while (performance.now() < end) {
      const begun = performance.now();
      await ask(token, say, { room }, at);
      times.push(performance.now() - begun);
      await pause(PAUSE_MS);
    }
  };
  await Promise.all(senders.map(send));
  times.sort((a, b) => a - b);
  const part = (share) => Math.round(times[Math.floor(times.length * share)] * 100) / 100;
  return { sends: times.length, p50_ms: part(0.5), p99_ms: part(0.99) };
}

/** The same while clients relay through the server at this port. */
async function beside(port) {
  // The load lasts longer than the measurement.
  const seconds = String(MEASURED_MS / 1000 + 2);
  const relay = ["run", `127.0.0.1:${port}`, process.env.TURN_SECRET, String(process.pid), "--seconds", seconds];
  const load = spawn(process.env.LOAD, relay, { stdio: ["ignore", "ignore", "inherit"] });
  const ended = once(load, "exit");
  await pause(1000);
  const measured = await measure();
  const [code] = await ended;
  if (code !== 0) throw new Error(`the load ended with ${code}`);
  return measured;
}

const ways = { alone: measure, "beside our relay": () => beside(ours), "beside coturn": () => beside(theirs) };
for (let round = 0; round < rounds; round += 1) {
  for (const [way, run] of Object.entries(ways)) console.log(JSON.stringify({ way, round, ...(await run()) }));
}
for (const end of ends.reverse()) await end();
