// Measures how long two pages need from the answer to a call until both show a picture: direct, through the relay of the
// server, and through coturn; and beside them the same connection with its signals in a variable of this program.
//
//   ROOKERY=target/release/rookery CHROMIUM=/usr/bin/chromium COTURN=/usr/bin/turnserver \
//     TURN_SECRET=secret-of-a-measurement node tests/browser/connect.mjs [ROUNDS]
//
// Prints a line of JSON for each way: the median and all durations, in milliseconds.

import { ask } from "./api.mjs";
import { launch, two } from "./callers.mjs";
import { serverWithCoturn, startServer } from "./relays.mjs";

const rounds = Number(process.argv[2] ?? 15);

const ends = [];
const context = { after: (end) => ends.push(end) };
const browser = await launch();
const place = { browser, context };

/** Waits until both pages decode a picture. */
const pictures = (pages) =>
  Promise.all(
    pages.map((page) =>
      page.waitForFunction(async () => {
        const { pc } = globalThis.bare ?? globalThis.currentCall() ?? {};
        if (!pc) return false;
        const stats = [...(await pc.getStats()).values()];
        return stats.some((it) => it.type === "inbound-rtp" && it.kind === "video" && it.framesDecoded > 0);
      }),
    ),
  );

/** A call of two users through the server. */
async function throughTheServer({ ada, bob, room }) {
  await ada.page.getByLabel("Room").fill(room);
  await ada.page.getByLabel("User", { exact: true }).fill(bob.userId);
  await ada.page.getByRole("button", { name: "Call with video" }).click();
  await bob.page.locator("#peer", { hasText: `${ada.userId} calls` }).waitFor();
  const begun = performance.now();
  await bob.page.getByRole("button", { name: "Answer" }).click();
  await pictures([ada.page, bob.page]);
  const took = performance.now() - begun;
  await ada.page.getByRole("button", { name: "Hang up" }).click();
  for (const { page } of [ada, bob]) await page.locator("#place").waitFor();
  return took;
}

/** Runs in a page: begins a connection whose signals go to `globalThis.pass`. */
async function prepare({ iceServers, relay }) {
  globalThis.bare?.pc.close();
  const media = await navigator.mediaDevices.getUserMedia({ audio: true, video: true });
  const pc = new RTCPeerConnection({ iceServers, iceTransportPolicy: relay ? "relay" : "all" });
  for (const track of media.getTracks()) pc.addTrack(track, media);
  pc.onicecandidate = ({ candidate }) => candidate && globalThis.pass(JSON.stringify({ candidate }));
  const waiting = [];
  const take = async ({ candidate, description }) => {
    if (description) await pc.setRemoteDescription(description);
    else waiting.push(candidate);
    if (pc.remoteDescription) for (const it of waiting.splice(0)) await pc.addIceCandidate(it);
    if (description?.type !== "offer") return;
    await pc.setLocalDescription();
    globalThis.pass(JSON.stringify({ description: pc.localDescription }));
  };
  globalThis.bare = { pc, take };
}

/** The same connection without a server: `held` is where the offer waits for the answer. */
async function throughAVariable(people, iceServers, relay) {
  const [ada, bob] = people;
  const held = [];
  let rings = true;
  people.forEach((person, index) => {
    const other = people[1 - index].page;
    const take = (signal) => other.evaluate((it) => globalThis.bare.take(JSON.parse(it)), signal);
    person.pass = (signal) => (rings ? void held.push(signal) : take(signal));
  });
  await ada.page.evaluate(prepare, { iceServers, relay });
  await ada.page.evaluate(async () => {
    const { pc } = globalThis.bare;
    await pc.setLocalDescription();
    globalThis.pass(JSON.stringify({ description: pc.localDescription }));
  });
  const begun = performance.now();
  rings = false;
  await bob.page.evaluate(prepare, { iceServers, relay });
  const offerFirst = held.sort((one, other) => other.includes("description") - one.includes("description"));
  for (const signal of offerFirst) await bob.page.evaluate((it) => globalThis.bare.take(JSON.parse(it)), signal);
  await pictures([ada.page, bob.page]);
  return performance.now() - begun;
}

/** Two users whose `pass` can be set for each round. */
async function bare(names, where) {
  const { ada, bob } = await two(place, names, where);
  for (const person of [ada, bob]) {
    await person.page.exposeFunction("pass", (signal) => person.pass(signal));
  }
  const { iceServers } = await ask(ada.token, "{ iceServers { urls username credential } }", {}, where.at);
  return { people: [ada, bob], iceServers };
}

async function measure(way, run) {
  const durations = [];
  for (let round = 0; round <= rounds; round += 1) durations.push(Math.round(await run()));
  // The first round also starts devices and codecs.
  const sorted = durations.slice(1).sort((one, other) => one - other);
  console.log(JSON.stringify({ way, rounds, p50_ms: sorted[sorted.length >> 1], durations: sorted }));
}

try {
  const own = await startServer(context, ["--turn-listen", "127.0.0.1:0", "--limits-rate", "none"]);
  const variable = await bare(["a", "b"], { at: own });
  await measure("direct, signals in a variable", () => throughAVariable(variable.people, variable.iceServers, false));
  const direct = await two(place, ["c", "d"], { at: own });
  await measure("direct", () => throughTheServer(direct));
  const relayed = await two(place, ["e", "f"], { at: own, query: "?relay" });
  await measure("relay of the server", () => throughTheServer(relayed));
  const coturn = await serverWithCoturn(context);
  const through = await two(place, ["g", "h"], { at: coturn, query: "?relay" });
  await measure("coturn", () => throughTheServer(through));
} finally {
  for (const end of ends) await end();
  await browser.close();
}
