// The first paint of a device that has stored its rooms: it needs neither the engine nor the server's answers.
// ROOKERY and CHROMIUM are programs.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { act, enter, freshServer, launch, register, roomOf } from "./shell/visits.mjs";

let browser;

before(async () => {
  browser = await launch();
});

after(() => browser?.close());

const ROOMS = 60;

/** Runs in a page before its scripts: the engine never answers. */
function withoutEngine() {
  globalThis.SharedWorker = class extends EventTarget {
    port = new MessageChannel().port1;
  };
}

/** A user in many rooms, whose device has stored them. One is a favourite that nobody has used for long. */
async function stored(context) {
  const at = await freshServer(context);
  const [ada, bob] = [await register(at, "ada"), await register(at, "bob")];
  const place = { browser, context, at };
  const favourite = await roomOf(at, [ada], { name: "Lighthouse" });
  for (let number = 1; number <= ROOMS; number += 1) await roomOf(at, [ada], { name: `Room ${number}` });
  await act(at, ada.token, "setRoomPreferences", { roomId: favourite, isFavourite: true });
  const { page, profile, faults } = await enter(place, ada);
  await page.getByText("Lighthouse").waitFor();
  await page.getByRole("button", { name: `Show all ${ROOMS} rooms` }).waitFor();
  return { place, at, ada, bob, favourite, page, profile, faults };
}

/** The names in the list of rooms. */
const names = (page) => page.locator(".room-name").allTextContents();

/** Waits until the stored first screen has a text. */
const keeps = (page, text) =>
  page.waitForFunction(async (text) => {
    const [{ name }] = await indexedDB.databases();
    const database = await new Promise((resolve) => (indexedDB.open(name).onsuccess = ({ target }) => resolve(target.result)));
    const first = await new Promise((resolve) => (database.transaction("meta").objectStore("meta").get("first").onsuccess = ({ target }) => resolve(target.result)));
    database.close();
    return JSON.stringify(first ?? "").includes(text);
  }, text, { polling: 50 });

test("the_list_of_rooms_is_painted_from_the_database_before_the_engine_runs_and_is_whole_afterwards", async (context) => {
  const { place, at, bob, ada, page, profile } = await stored(context);
  const roomId = await roomOf(at, [bob, ada], { name: "Harbour" });
  await act(at, bob.token, "sendMessage", { roomId, body: `the fog lifts ${"!".repeat(5_000)}` });
  await keeps(page, "the fog lifts");
  const all = await names(page);
  await page.close();

  const early = await profile.newPage();
  await early.addInitScript(withoutEngine);
  await early.goto(place.at);
  await early.getByText("the fog lifts").waitFor();
  assert.deepEqual(await names(early), all.slice(0, 30));
  assert.equal(await early.locator(".sidebar .bar strong").textContent(), "ada");
  await early.close();

  const whole = await profile.newPage();
  await whole.goto(place.at);
  await whole.waitForFunction((count) => document.querySelectorAll(".room-name").length === count, all.length);
  assert.deepEqual(await names(whole), all);
});

test("a_tab_that_is_killed_while_rooms_come_in_leaves_a_list_that_the_next_one_shows_and_completes", async (context) => {
  const { place, at, ada, bob, page, profile } = await stored(context);
  const roomId = await roomOf(at, [bob, ada], { name: "Harbour" });
  // The worker ends with its only page, in the middle of its writes.
  const sending = (async () => {
    for (let number = 1; number <= 40; number += 1) await act(at, bob.token, "sendMessage", { roomId, body: `wave ${number}.` });
  })();
  await page.getByText(/wave \d+\./).first().waitFor();
  const devtools = await profile.newCDPSession(page);
  const crashed = page.waitForEvent("crash");
  devtools.send("Page.crash").catch(() => {});
  await crashed;
  await sending;
  const early = await profile.newPage();
  await early.addInitScript(withoutEngine);
  await early.goto(place.at);
  await early.getByText(/wave \d+\./).first().waitFor();
  await early.close();
  const next = await profile.newPage();
  await next.goto(place.at);
  await next.getByText("wave 40.").first().waitFor();
});

test("a_page_without_a_database_makes_none_and_nothing_is_painted_after_a_logout", async (context) => {
  const { place, profile, page, faults } = await stored(context);
  await keeps(page, "Lighthouse");
  await page.getByRole("button", { name: "Your menu" }).click();
  await page.getByRole("menuitem", { name: "Log out" }).click();
  await page.getByRole("button", { name: "Log out", exact: true }).click();
  await page.getByRole("button", { name: "Log in" }).first().waitFor();
  await page.waitForFunction(async () => (await indexedDB.databases()).length === 0);
  await page.close();
  // A session without a database, as after "clear site data" of a part.
  const session = JSON.stringify({ token: "gone", deviceId: "GONE", userId: "@gone:localhost", since: 1 });
  const early = await profile.newPage();
  await early.goto(`${place.at}/favicon.svg`);
  await early.evaluate((it) => localStorage.setItem("rookery.session", it), session);
  await early.addInitScript(withoutEngine);
  await early.goto(place.at);
  await early.locator(".sidebar").waitFor();
  assert.equal(await early.locator(".room-line").count(), 0);
  assert.deepEqual(await early.evaluate(() => indexedDB.databases()), []);
  assert.deepEqual(faults, []);
});
