// Two pages of examples/call in a real browser, each a user, with fake cameras and microphones: they call each other, the
// pictures move on both sides, sound arrives, and one of them hangs up.
// ROOKERY_URL is the server's address, TURN_SECRET the secret of its relay; CHROMIUM, COTURN and ROOKERY are programs.
// `cargo xtask test browser` sets them.

import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { after, before, test } from "node:test";
import { ask } from "./api.mjs";
import { call, launch, moves, person, two } from "./callers.mjs";
import { serverWithCoturn } from "./relays.mjs";

let browser;

before(async () => {
  browser = await launch();
});

after(() => browser?.close());

test("two_pages_call_see_each_other_move_hear_each_other_and_hang_up", async (context) => {
  const people = await two({ browser, context }, ["watson", "bell"]);
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

/** Two users of the server `at` call each other, and no data goes past the relay. */
async function callThroughARelay(context, at) {
  const people = await two({ browser, context }, ["strowger", "almon"], { query: "?relay", at });
  const { ada, bob } = people;
  await call(people);
  const ways = [];
  for (const { page } of [ada, bob]) ways.push((await moves(page)).way);
  assert.deepEqual(ways, ["relay", "relay"]);
  await ada.page.getByRole("button", { name: "Hang up" }).click();
  for (const { page } of [ada, bob]) await page.locator("#status", { hasText: "USER_HANGUP" }).waitFor();
  assert.deepEqual([ada.faults, bob.faults], [[], []]);
}

test("two_pages_call_through_the_relay_of_the_server_alone", (context) => callThroughARelay(context));

test("two_pages_call_through_coturn_alone", async (context) => {
  await callThroughARelay(context, await serverWithCoturn(context));
});

/** How many relayed candidates a page finds with these credentials. */
const candidates = (page, iceServers) =>
  page.evaluate(async (iceServers) => {
    const pc = new RTCPeerConnection({ iceServers, iceTransportPolicy: "relay" });
    let count = 0;
    const gathered = new Promise((resolve) => {
      pc.onicecandidate = ({ candidate }) => (candidate?.candidate ? (count += 1) : resolve());
    });
    pc.createDataChannel("");
    await pc.setLocalDescription();
    await gathered;
    pc.close();
    return count;
  }, iceServers);

test("expired_credentials_find_no_way_through_the_relay", async (context) => {
  const { page, token, userId } = await person({ browser, context }, "puskas");
  const { iceServers } = await ask(token, "{ iceServers { urls username credential } }");
  assert.ok((await candidates(page, iceServers)) > 0);
  const until = (seconds) => {
    const username = `${Math.floor(Date.now() / 1000) + seconds}:${userId}`;
    const credential = createHmac("sha1", process.env.TURN_SECRET).update(username).digest("base64");
    return [{ urls: iceServers[0].urls, username, credential }];
  };
  assert.ok((await candidates(page, until(600))) > 0, "these are valid credentials");
  assert.equal(await candidates(page, until(-1)), 0);
});

test("a_page_that_is_loaded_again_in_a_call_connects_again", async (context) => {
  const people = await two({ browser, context }, ["meucci", "reis"]);
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

/** One user calls another, who rejects the call. `isRejected` is called when the server has the rejection. */
async function reject({ ada, bob, room }, isRejected = () => {}) {
  await ada.page.getByLabel("Room").fill(room);
  await ada.page.getByLabel("User", { exact: true }).fill(bob.userId);
  await ada.page.getByRole("button", { name: "Call with sound alone" }).click();
  await bob.page.getByRole("button", { name: "Reject" }).click();
  await bob.page.locator("#status", { hasText: "REJECTED" }).waitFor();
  isRejected();
  for (const { page } of [ada, bob]) await page.locator("#status", { hasText: "REJECTED" }).waitFor();
  for (const { page } of [ada, bob]) await page.locator("#place").waitFor();
}

test("a_call_that_is_rejected_leaves_both_pages_free", async (context) => {
  const people = await two({ browser, context }, ["edison", "gray"]);
  await reject(people);
  assert.deepEqual([people.ada.faults, people.bob.faults], [[], []]);
});

/** Holds back the answers of the page's server to requests for this mutation until `until`. */
const late = (page, mutation, until) =>
  page.route("**/graphql", async (route) => {
    const isLate = route.request().postData()?.includes(mutation);
    const response = await route.fetch();
    if (isLate) await until;
    await route.fulfill({ response });
  });

test("a_call_that_ends_before_its_caller_has_an_answer_leaves_both_pages_free", async (context) => {
  const people = await two({ browser, context }, ["dolbear", "drawbaugh"]);
  let go;
  await late(people.ada.page, "placeCall", new Promise((resolve) => (go = resolve)));
  await reject(people, go);
});

test("a_call_that_ends_before_its_callee_has_an_answer_leaves_both_pages_free", async (context) => {
  const { ada, bob, room } = await two({ browser, context }, ["farrar", "varley"]);
  let go;
  await late(bob.page, "answerCall", new Promise((resolve) => (go = resolve)));
  await ada.page.getByLabel("Room").fill(room);
  await ada.page.getByLabel("User", { exact: true }).fill(bob.userId);
  await ada.page.getByRole("button", { name: "Call with sound alone" }).click();
  const answer = bob.page.waitForResponse((response) => response.request().postData()?.includes("answerCall") ?? false);
  await bob.page.getByRole("button", { name: "Answer" }).click();
  await ada.page.locator("#peer", { hasText: "In a call" }).waitFor();
  await ada.page.getByRole("button", { name: "Hang up" }).click();
  for (const { page } of [ada, bob]) await page.locator("#status", { hasText: "USER_HANGUP" }).waitFor();
  go();
  await (await answer).finished();
  // The page has handled the answer when it has run a later task.
  await bob.page.evaluate(() => new Promise((resolve) => setTimeout(resolve)));
  for (const { page } of [ada, bob]) assert.ok(await page.locator("#place").isVisible());
});
