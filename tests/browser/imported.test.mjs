// A room of 10,000 imported messages on a real server: its timeline scrolls as smoothly as a still page, and its rows move
// with the wheel alone. ROOKERY and CHROMIUM are programs.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { durations, movements, slowness, watch } from "./chat/setting/frames.mjs";
import { painted, stop, wheel } from "./chat/setting/pages.mjs";
import { importedChannel } from "./shell/imported.mjs";
import { enter, launch } from "./shell/visits.mjs";

const MESSAGES = 10_000;
/** So many of them are scrolled through. */
const SEEN = 1000;
/** A row may be off by this many pixels. */
const STILL = 2;
const ELEMENTS_MAX = 3000;
const RATIO_MAX = 1.5;
/** Most turns of each page. */
const TURNS = 8;

let browser;

before(async () => {
  browser = await launch();
});

after(() => browser?.close());

test("imported_messages_of_a_real_server_scroll_as_smoothly_as_a_still_page_and_rows_move_by_the_wheel_alone", async (context) => {
  const { at, ada, roomId } = await importedChannel(context, { sailors: 40, messages: MESSAGES });
  const place = { browser, context, at };
  const { page: moving, faults } = await enter(place, ada, `/room/${roomId}`, { viewport: { width: 900, height: 700 } });
  await moving.locator(".line", { hasText: `message ${MESSAGES - 1}:` }).waitFor();
  const middle = async (page) => {
    const { x, y, width, height } = await page.locator(".scroller").boundingBox();
    await page.mouse.move(x + width / 2, y + height / 2);
  };
  await middle(moving);
  const { page: still } = await enter(place, ada, `/room/${roomId}`, { viewport: { width: 900, height: 700 } });
  await still.locator(".line", { hasText: `message ${MESSAGES - 1}:` }).waitFor();
  await middle(still);
  // Enough rows for a window of the usual size.
  while ((await still.locator(".line").count()) < 100) await wheel(still, -600, 1);
  await still.evaluate(() => {
    const copy = document.querySelector(".timeline").cloneNode(true);
    document.body.replaceChildren(copy);
    copy.style.blockSize = "600px";
    copy.querySelector(".scroller").scrollTop = 1e6;
  });
  const seen = new Set();
  const turn = async (name, count) => {
    const page = { moving, still }[name];
    await page.bringToFront();
    await page.evaluate(watch);
    await wheel(page, name === "still" && count % 2 === 1 ? 100 : -100, 30);
    await painted(page);
    const noted = await stop(page);
    if (name === "moving") {
      for (const { rows } of noted) for (const key of Object.keys(rows)) seen.add(key);
      assert.ok(Math.max(...movements(noted).map(({ spread }) => spread)) <= STILL, "rows move against each other");
      assert.ok(Math.max(...noted.map(({ elements }) => elements)) < ELEMENTS_MAX);
    }
    return durations(noted);
  };
  const { ratio, isBusy, ...best } = await slowness(turn, RATIO_MAX, TURNS);
  context.diagnostic(`p95 ${best.moving.toFixed(1)} ms, still ${best.still.toFixed(1)} ms, ratio ${ratio.toFixed(2)}`);
  assert.ok(ratio <= RATIO_MAX || isBusy, `${ratio}`);
  // Quickly through many pages.
  await moving.bringToFront();
  await moving.evaluate(watch);
  for (let turns = 0; seen.size < SEEN; turns += 1) {
    assert.ok(turns < 400, `only ${seen.size} messages come in`);
    await wheel(moving, -1_000, 5);
    for (const key of await moving.evaluate(() => [...document.querySelectorAll(".line.is-message")].map((row) => row.dataset.key))) seen.add(key);
  }
  const frames = await stop(moving);
  const moved = movements(frames);
  assert.ok(Math.max(...moved.map(({ spread }) => spread)) <= STILL, "rows move against each other");
  assert.deepEqual(moved.filter(({ shared }) => shared < -STILL), [], "rows move against the wheel");
  assert.ok(Math.max(...frames.map(({ elements }) => elements)) < ELEMENTS_MAX);
  assert.deepEqual(faults, []);
});
