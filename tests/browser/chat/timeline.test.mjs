// The timeline over a store in memory: nothing that comes in moves a row, and jumps lead where they say.
// CHROMIUM is the browser; `cargo xtask test browser` sets it.

import assert from "node:assert/strict";
import { test } from "node:test";
import { movements, watch } from "./setting/frames.mjs";
import { painted, stop, until, wheel } from "./setting/pages.mjs";
import { timelines } from "./setting/timelines.mjs";

/** A row may be off by this many pixels. */
const STILL = 2;

const timeline = timelines();

test("nothing_that_comes_in_above_moves_a_row", async (context) => {
  const { page, faults } = await timeline(context, { count: 2000, shown: 300 });
  await wheel(page, -400, 10);
  await until(page, () => !document.querySelector('[aria-busy="true"]'));
  await page.evaluate(() => new Promise((resolve) => setTimeout(resolve, 400)));
  await page.evaluate(watch);
  await painted(page);
  const happened = await page.evaluate(async () => {
    const { fake } = globalThis;
    const frame = () => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
    const scroller = document.querySelector(".scroller").getBoundingClientRect();
    const rows = [...document.querySelectorAll(".line.is-message")];
    const above = rows.filter((row) => row.getBoundingClientRect().bottom < scroller.top).map((row) => row.dataset.event);
    const long = "an edit that needs several lines ".repeat(30);
    fake.edit(above.at(-2), long);
    await frame();
    fake.edit(above.at(-2), "short");
    await frame();
    fake.late(above.at(-3), long);
    await frame();
    fake.react(above.at(-4), "🎉");
    await frame();
    fake.replace(above.at(-5), { redaction: { byId: "@bob:rookery.example", reason: null }, content: {} });
    await frame();
    await fake.loadBefore();
    await frame();
    // What an image does when it has come.
    const row = rows.find((it) => it.dataset.event === above.at(-6));
    row.style.minHeight = "700px";
    await frame();
    row.style.minHeight = "";
    await frame();
    for (let at = 0; at < 30; at += 1) fake.say(`new ${at}`);
    await frame();
    return above.length;
  });
  assert.ok(happened > 10, "the test changes rows above");
  const moved = movements(await stop(page));
  assert.ok(moved.length > 10);
  const largest = Math.max(...moved.map(({ shared, spread }) => Math.abs(shared) + spread));
  assert.ok(largest <= STILL, `a row moved by ${largest} px`);
  assert.deepEqual(faults, []);
});

test("a_reader_at_the_end_stays_at_the_end", async (context) => {
  const { page } = await timeline(context, { count: 300 });
  const gap = () => page.evaluate(() => {
    const { scrollHeight, scrollTop, clientHeight } = document.querySelector(".scroller");
    return scrollHeight - scrollTop - clientHeight;
  });
  for (let at = 0; at < 40; at += 1) await page.evaluate((at) => globalThis.fake.say(`line ${at}\nand another`), at);
  await painted(page);
  assert.ok((await gap()) <= STILL);
  assert.ok(await page.locator(".line", { hasText: "line 39" }).isVisible());
  assert.ok((await page.locator(".line").count()) <= 140);
  await page.setViewportSize({ width: 500, height: 500 });
  await painted(page);
  assert.ok((await gap()) <= STILL);
});

test("a_jump_to_a_date_shows_a_gap_that_closes_when_the_reader_comes_near", async (context) => {
  const { page } = await timeline(context, { count: 5000, unread: 0 });
  // Without scrolling to it: its day may begin in a page that comes in then.
  await page.locator(".day-name button").last().dispatchEvent("click");
  await page.getByLabel("Day").fill("2026-01-03");
  await page.getByRole("button", { name: "Jump", exact: true }).click();
  // The messages are 97 seconds apart from the first of January at eight on.
  const number = Math.ceil((Date.parse("2026-01-03T00:00") - Date.UTC(2026, 0, 1, 8)) / 97_000);
  const row = page.locator(`[data-key="$event${number}"]`);
  await row.waitFor();
  assert.ok((await row.boundingBox()).y < 300, "it is at the begin of the view");
  assert.ok(await page.evaluate(() => globalThis.fake.segments.length > 1), "what is between is missing");
  await page.mouse.move(450, 300);
  await page.evaluate(watch);
  await wheel(page, 300, 40);
  await painted(page);
  const moved = movements(await stop(page));
  assert.ok(Math.max(...moved.map(({ spread }) => spread)) <= STILL);
  await page.getByRole("button", { name: "Jump to the newest message" }).click();
  await page.locator('[data-key="$event5000"]').waitFor();
});

test("a_gap_in_view_says_so_and_can_be_closed_with_a_button", async (context) => {
  const { page } = await timeline(context, { count: 400, shown: 100 });
  await page.evaluate(async () => {
    await globalThis.fake.loadAround("", { eventId: "$event200" });
    globalThis.fake.isOffline = true;
    globalThis.show("$event220");
  });
  const gap = page.locator(".is-gap").first();
  await gap.getByText("They could not be loaded.").waitFor();
  await page.evaluate(() => (globalThis.fake.isOffline = false));
  await gap.getByRole("button", { name: "Try again" }).click();
  await gap.waitFor({ state: "detached" });
  const numbers = await page.evaluate(() => [...document.querySelectorAll(".line.is-message")].map((row) => Number(row.dataset.key.slice(6))));
  assert.deepEqual(numbers, Array.from(numbers, (_, at) => numbers[0] + at), "no message is missing");
});

test("the_first_unread_message_is_one_button_away", async (context) => {
  const { page } = await timeline(context, { count: 2000, unread: 500 });
  await page.getByRole("button", { name: "Jump to the first unread message" }).click();
  await page.locator(".is-unread").waitFor();
  const place = (selector) => page.locator(selector).boundingBox();
  const line = await place(".is-unread");
  const [before, after] = [await place('[data-key="$event1500"]'), await place('[data-key="$event1501"]')];
  assert.ok(before.y < line.y && line.y < after.y);
  assert.ok(after.y < 600 && before.y > 0, "both are in view");
});

test("what_is_in_view_is_marked_as_read_and_nothing_else", async (context) => {
  const { page } = await timeline(context, { count: 200, unread: 20 });
  await page.waitForFunction(() => globalThis.fake.marks.length === 1);
  assert.deepEqual(await page.evaluate(() => globalThis.fake.marks), ["$event200"]);
  await wheel(page, -500, 8);
  await page.evaluate(() => globalThis.fake.say("not in view"));
  await page.evaluate(() => new Promise((resolve) => setTimeout(resolve, 900)));
  assert.deepEqual(await page.evaluate(() => globalThis.fake.marks), ["$event200"]);
});
