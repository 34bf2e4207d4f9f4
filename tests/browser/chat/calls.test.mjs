// Calls over the screens of the chat, with fake cameras and microphones.
// ROOKERY is the server, CHROMIUM the browser; `cargo xtask test browser` sets them.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { launch } from "./setting/pages.mjs";
import { enter, logIn, pathOf, register, roomOf } from "./setting/people.mjs";

let browser;

before(async () => {
  browser = await launch([
    "--autoplay-policy=no-user-gesture-required",
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
    "--auto-select-desktop-capture-source=Entire screen",
    // A machine with nothing but loopback finds no candidate without this.
    "--allow-loopback-in-peer-connection",
  ]);
});

after(() => browser?.close());

/** Two users who both see their room. */
async function pair(context) {
  const users = [await register("watson"), await register("bell")];
  const roomId = await roomOf(users);
  const [watson, bell] = [await enter({ browser, context }, users[0], pathOf(roomId)), await enter({ browser, context }, users[1], pathOf(roomId))];
  // A busy machine needs long for two cameras and two codecs.
  for (const { page } of [watson, bell]) page.setDefaultTimeout(100_000);
  for (const { page } of [watson, bell]) await page.getByRole("button", { name: "Call with video" }).waitFor();
  return { users, roomId, watson, bell };
}

const state = (page, text) => page.locator(".call-state", { hasText: text }).waitFor();

/** Waits until the page shows a picture of the other one that moves: `currentTime` grows with each picture that comes. */
async function seesAMovingPicture(page) {
  const isPlaying = (after) => {
    const video = document.querySelector(".picture.remote");
    return video && video.videoWidth > 0 && !video.paused && video.currentTime > after;
  };
  await page.waitForFunction(isPlaying, 0);
  const first = await page.evaluate(() => document.querySelector(".picture.remote").currentTime);
  await page.waitForFunction(isPlaying, first + 0.2);
}

async function answer(page) {
  await page.getByRole("alertdialog").waitFor();
  await page.getByRole("button", { name: "Answer" }).click();
}

const isFree = (page) => page.locator(".call-screen, .call-card").first().waitFor({ state: "detached" });

test("a_call_over_the_screens_connects_shows_moving_pictures_and_ends", async (context) => {
  const { watson, bell } = await pair(context);
  await watson.page.getByRole("button", { name: "Call with video" }).click();
  await bell.page.waitForFunction(() => document.title.includes("calls"));
  await answer(bell.page);
  for (const { page } of [watson, bell]) await state(page, "Connected");
  for (const { page } of [watson, bell]) await seesAMovingPicture(page);
  await watson.page.getByRole("button", { name: "Mute the microphone" }).click();
  assert.equal(await watson.page.getByRole("button", { name: "Mute the microphone" }).getAttribute("aria-pressed"), "true");
  await watson.page.getByRole("button", { name: "Devices" }).click();
  await watson.page.getByRole("dialog").getByLabel("Microphone").waitFor();
  await watson.page.keyboard.press("Escape");
  await bell.page.getByRole("button", { name: "Hang up" }).click();
  for (const { page } of [watson, bell]) await isFree(page);
  for (const { page } of [watson, bell]) await page.locator(".change-text", { hasText: "ended the call" }).waitFor();
  assert.equal((await bell.page.title()).includes("calls"), false);
  assert.deepEqual([watson.faults, bell.faults], [[], []]);
});

test("an_answer_on_one_device_silences_the_others", async (context) => {
  const { users, roomId, watson, bell } = await pair(context);
  const phone = await enter({ browser, context }, await logIn(users[1]), pathOf(roomId));
  const tab = { page: await bell.page.context().newPage() };
  await tab.page.goto(bell.page.url());
  await watson.page.getByRole("button", { name: "Call", exact: true }).click();
  for (const { page } of [bell, phone, tab]) await page.getByRole("alertdialog").waitFor();
  await answer(phone.page);
  for (const { page } of [watson, phone]) await state(page, "Connected");
  for (const { page } of [bell, tab]) {
    await isFree(page);
    await page.waitForFunction(() => !document.title.includes("calls"));
  }
  await watson.page.getByRole("button", { name: "Hang up" }).click();
  for (const { page } of [watson, phone]) await isFree(page);
});

test("a_call_that_nobody_answers_is_missed_in_the_timeline", async (context) => {
  const { watson, bell } = await pair(context);
  await watson.page.getByRole("button", { name: "Call", exact: true }).click();
  await bell.page.getByRole("alertdialog").waitFor();
  await watson.page.getByRole("button", { name: "Hang up" }).click();
  for (const { page } of [watson, bell]) {
    await isFree(page);
    await page.locator(".change-text.missed").waitFor();
  }
});

test("a_call_that_is_declined_leaves_both_pages_free", async (context) => {
  const { watson, bell } = await pair(context);
  await watson.page.getByRole("button", { name: "Call", exact: true }).click();
  await bell.page.getByRole("button", { name: "Decline" }).click();
  for (const { page } of [watson, bell]) await isFree(page);
  await watson.page.locator(".change-text", { hasText: "rejected the call" }).waitFor();
});

test("a_call_goes_on_after_a_reload_and_over_a_new_path", async (context) => {
  const { watson, bell } = await pair(context);
  await watson.page.getByRole("button", { name: "Call with video" }).click();
  await answer(bell.page);
  for (const { page } of [watson, bell]) await seesAMovingPicture(page);
  await bell.page.reload();
  await bell.page.locator(".call-screen").waitFor();
  for (const { page } of [watson, bell]) await seesAMovingPicture(page);
  // The network changes: both devices look for a path again.
  await watson.page.evaluate(() => globalThis.dispatchEvent(new Event("online")));
  await state(watson.page, "Connected");
  for (const { page } of [watson, bell]) await seesAMovingPicture(page);
  await bell.page.getByRole("button", { name: "Hang up" }).click();
  for (const { page } of [watson, bell]) await isFree(page);
});

test("a_page_shares_its_screen_in_a_call_with_sound_alone", async (context) => {
  const { watson, bell } = await pair(context);
  await watson.page.getByRole("button", { name: "Call", exact: true }).click();
  await answer(bell.page);
  for (const { page } of [watson, bell]) await state(page, "Connected");
  // Headless Chromium has no screen to choose: another picture takes its place.
  await watson.page.evaluate(() => {
    navigator.mediaDevices.getDisplayMedia = () => navigator.mediaDevices.getUserMedia({ video: true });
  });
  await watson.page.getByRole("button", { name: "Share the screen" }).click();
  await seesAMovingPicture(bell.page);
  await watson.page.getByRole("button", { name: "Share the screen" }).click();
  await watson.page.getByRole("button", { name: "Hang up" }).click();
  for (const { page } of [watson, bell]) await isFree(page);
});
