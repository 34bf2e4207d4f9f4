// Scrolling through a timeline of 10,000 messages over a store in memory: rows move with the wheel, and by nothing else.
// CHROMIUM is the browser; `cargo xtask test browser` sets it.

import assert from "node:assert/strict";
import { test } from "node:test";
import { movements, watch } from "./setting/frames.mjs";
import { painted, stop, sum, wheel } from "./setting/pages.mjs";
import { timelines } from "./setting/timelines.mjs";

/** A row may be off by this many pixels. */
const STILL = 2;
const ELEMENTS_MAX = 3000;
/** "About 120": a page that comes in may lengthen the window for a moment. */
const ROWS_MAX = 160;

const timeline = timelines();

test("rows_move_by_the_wheel_alone_through_ten_thousand_messages", async (context) => {
  const { page, faults } = await timeline(context, { count: 10_000 });
  await page.evaluate(watch);
  const STEP = 2000;
  let turned = 0;
  const isAtStart = () => page.evaluate(() => document.querySelector(".is-start") !== null && document.querySelector(".scroller").scrollTop === 0);
  while (!(await isAtStart())) {
    assert.ok(turned < 1_000_000, "the begin of the room is never reached");
    await wheel(page, -STEP, 10);
    turned += 10 * STEP;
  }
  const frames = await stop(page);
  const moved = movements(frames);
  assert.ok(Math.max(...moved.map(({ spread }) => spread)) <= STILL, "rows move against each other");
  assert.ok(moved.every(({ shared }) => shared >= -STILL), "rows move against the wheel");
  const total = sum(moved.map(({ shared }) => shared));
  assert.ok(total <= turned + STILL, "rows move farther than the wheel");
  assert.ok(Math.max(...frames.map(({ elements }) => elements)) < ELEMENTS_MAX);
  assert.ok(Math.max(...frames.map(({ lines }) => lines)) <= ROWS_MAX);
  const seen = new Set(frames.flatMap(({ rows }) => Object.keys(rows)));
  assert.equal(Array.from({ length: 10_000 }, (_, at) => `$event${at + 1}`).filter((key) => !seen.has(key)).length, 0);
  assert.deepEqual(faults, []);
});

test("rows_move_exactly_as_far_as_the_wheel_while_pages_come_in", async (context) => {
  const { page } = await timeline(context, { count: 3000 });
  await page.evaluate(watch);
  await wheel(page, -400, 80);
  await painted(page);
  const total = sum(movements(await stop(page)).map(({ shared }) => shared));
  assert.ok(Math.abs(total - 80 * 400) <= STILL, `${total}`);
  assert.ok((await page.evaluate(() => globalThis.fake.pages)) > 5);
});
