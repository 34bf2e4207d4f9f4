// Two pages of examples/call in a real browser, each a user, with fake cameras and microphones: they call each other, the
// pictures move on both sides, sound arrives, and one of them hangs up.
// ROOKERY_URL is the server's address, CHROMIUM the browser's program; `cargo xtask test browser` sets both.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { chromium } from "playwright-core";

const server = process.env.ROOKERY_URL;
const password = "correct horse battery staple";

let browser;

before(async () => {
  browser = await chromium.launch({
    executablePath: process.env.CHROMIUM,
    args: [
      // Root may not use Chromium's sandbox; it loads only our own pages here.
      ...(process.getuid() === 0 ? ["--no-sandbox"] : []),
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
      "--autoplay-policy=no-user-gesture-required",
      "--use-fake-device-for-media-stream",
      "--use-fake-ui-for-media-stream",
      // A machine with nothing but loopback finds no candidate without this.
      "--allow-loopback-in-peer-connection",
    ],
  });
});

after(() => browser?.close());

/** Queries the server without a page. */
async function ask(token, query, variables) {
  const headers = { "Content-Type": "application/json", ...(token && { Authorization: `Bearer ${token}` }) };
  const response = await fetch(`${server}/graphql`, { method: "POST", headers, body: JSON.stringify({ query, variables }) });
  const { data, errors } = await response.json();
  assert.equal(errors, undefined, JSON.stringify(errors));
  return data;
}

/** A page on which a new user is logged in, in a browser profile of its own. */
async function person(context, username, query = "") {
  const profile = await browser.newContext();
  context.after(() => profile.close());
  const page = await profile.newPage();
  const faults = [];
  page.on("pageerror", (error) => faults.push(`uncaught: ${error.message}`));
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) faults.push(`console: ${message.text()}`);
  });
  await page.goto(`${server}/examples/call${query}`);
  await page.getByLabel("User name").fill(username);
  await page.getByLabel("Password").fill(password);
  await page.getByRole("button", { name: "Register" }).click();
  await page.locator("#me", { hasText: "@" }).waitFor();
  const token = await page.evaluate(() => sessionStorage.getItem("token"));
  return { page, faults, token, userId: await page.locator("#me").textContent() };
}

/** Two users on pages of their own, and a room of both. */
async function two(context, names, query) {
  const [ada, bob] = [await person(context, names[0], query), await person(context, names[1], query)];
  const create = `mutation { createRoom(input: { preset: PUBLIC }) { room { roomId } } }`;
  const room = (await ask(ada.token, create)).createRoom.room.roomId;
  const join = `mutation ($room: RoomID!) { joinRoom(input: { room: { roomId: $room } }) { refusal { code } } }`;
  await ask(bob.token, join, { room });
  return { ada, bob, room };
}

/** Places a call on the first page, and answers it on the second. */
async function call({ ada, bob, room }) {
  await ada.page.getByLabel("Room").fill(room);
  await ada.page.getByLabel("User", { exact: true }).fill(bob.userId);
  await ada.page.getByRole("button", { name: "Call with video" }).click();
  await bob.page.locator("#peer", { hasText: `${ada.userId} calls` }).waitFor();
  await bob.page.getByRole("button", { name: "Answer" }).click();
  for (const { page } of [ada, bob]) await page.locator("#peer", { hasText: "In a call" }).waitFor();
}

/** What a page receives: decoded frames, packets of sound, and the picture as it looks now. */
const received = (page) =>
  page.evaluate(async () => {
    const stats = [...(await globalThis.currentCall().pc.getStats()).values()];
    const inbound = (kind) => stats.find((it) => it.type === "inbound-rtp" && it.kind === kind);
    const video = document.getElementById("remote");
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [64, 48];
    const drawing = canvas.getContext("2d");
    drawing.drawImage(video, 0, 0, canvas.width, canvas.height);
    const pixels = drawing.getImageData(0, 0, canvas.width, canvas.height).data;
    const pair = stats.find((it) => it.type === "candidate-pair" && it.nominated && it.state === "succeeded");
    const local = stats.find((it) => it.id === pair?.localCandidateId);
    return {
      frames: inbound("video")?.framesDecoded ?? 0,
      packets: inbound("audio")?.packetsReceived ?? 0,
      picture: [...pixels].join(),
      way: local?.candidateType,
    };
  });

/** Waits until the picture has changed and both counters have grown since a first look. */
async function moves(page) {
  const until = async (holds) => {
    for (;;) {
      const now = await received(page);
      if (holds(now)) return now;
      await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(resolve)));
    }
  };
  const first = await until((now) => now.frames > 0 && now.packets > 0);
  return until((now) => now.frames > first.frames && now.packets > first.packets && now.picture !== first.picture);
}

test("two_pages_call_see_each_other_move_hear_each_other_and_hang_up", async (context) => {
  const people = await two(context, ["watson", "bell"]);
  const { ada, bob, room } = people;
  await call(people);
  for (const { page } of [ada, bob]) await moves(page);
  await bob.page.getByRole("button", { name: "Hang up" }).click();
  for (const { page } of [ada, bob]) await page.locator("#status", { hasText: "USER_HANGUP" }).waitFor();
  assert.deepEqual([ada.faults, bob.faults], [[], []]);
  const past = `query ($room: RoomID!) { room(by: { roomId: $room }) { calls { nodes { state answeredAt isMissed } } } }`;
  const { calls } = (await ask(ada.token, past, { room })).room;
  assert.deepEqual([calls.nodes.length, calls.nodes[0].isMissed], [1, false]);
  assert.ok(calls.nodes[0].answeredAt);
});

test("a_page_that_is_loaded_again_in_a_call_connects_again", async (context) => {
  const people = await two(context, ["meucci", "reis"]);
  const { ada, bob } = people;
  await call(people);
  for (const { page } of [ada, bob]) await moves(page);
  await ada.page.reload();
  await ada.page.locator("#peer", { hasText: "In a call" }).waitFor();
  await ada.page.waitForFunction(() => globalThis.currentCall()?.pc);
  for (const { page } of [ada, bob]) await moves(page);
  await ada.page.getByRole("button", { name: "Hang up" }).click();
  for (const { page } of [ada, bob]) await page.locator("#status", { hasText: "USER_HANGUP" }).waitFor();
});

test("a_call_that_is_rejected_leaves_both_pages_free", async (context) => {
  const { ada, bob, room } = await two(context, ["edison", "gray"]);
  await ada.page.getByLabel("Room").fill(room);
  await ada.page.getByLabel("User", { exact: true }).fill(bob.userId);
  await ada.page.getByRole("button", { name: "Call with sound alone" }).click();
  await bob.page.getByRole("button", { name: "Reject" }).click();
  for (const { page } of [ada, bob]) await page.locator("#status", { hasText: "REJECTED" }).waitFor();
  for (const { page } of [ada, bob]) await page.locator("#place").waitFor();
  assert.deepEqual([ada.faults, bob.faults], [[], []]);
});
