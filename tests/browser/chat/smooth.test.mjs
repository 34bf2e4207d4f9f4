// Scrolling through a timeline of 10,000 messages is as smooth as on a page that does not change.
// CHROMIUM is the browser; `cargo xtask test browser` sets it.

import assert from "node:assert/strict";
import { test } from "node:test";
import { durations, slowness, watch } from "./setting/frames.mjs";
import { stop, wheel } from "./setting/pages.mjs";
import { timelines } from "./setting/timelines.mjs";

const RATIO_MAX = 1.5;
/** Most turns of each page. */
const TURNS = 10;

const timeline = timelines();

test("scrolling_through_ten_thousand_messages_is_as_smooth_as_on_a_still_page", async (context) => {
  const moving = await timeline(context, { count: 10_000, shown: 1000 });
  const still = await timeline(context, { count: 120, shown: 120 });
  // The same rows without anything that follows them.
  await still.page.evaluate(() => {
    const copy = document.querySelector(".timeline").cloneNode(true);
    document.body.replaceChildren(copy);
    copy.style.blockSize = "600px";
    copy.querySelector(".scroller").scrollTop = 1e6;
  });
  const pages = { moving: moving.page, still: still.page };
  const turn = async (name, count) => {
    const page = pages[name];
    await page.bringToFront();
    await page.evaluate(watch);
    await wheel(page, name === "still" && count % 2 === 1 ? 100 : -100, 30);
    return durations(await stop(page));
  };
  const { ratio, isBusy, ...best } = await slowness(turn, RATIO_MAX, TURNS);
  context.diagnostic(`p95 ${best.moving.toFixed(1)} ms, still ${best.still.toFixed(1)} ms, ratio ${ratio.toFixed(2)}`);
  if (ratio > RATIO_MAX && isBusy) return context.skip("the machine is too busy to compare frames");
  assert.ok(ratio <= RATIO_MAX, `${ratio}`);
});
