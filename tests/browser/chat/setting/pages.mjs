// Pages of a real browser for tests of the chat. CHROMIUM is the program.

import assert from "node:assert/strict";
import { chromium } from "playwright-core";

/** A browser that loads only our own pages; root may not use its sandbox. */
export const launch = (args = []) =>
  chromium.launch({
    executablePath: process.env.CHROMIUM,
    args: [
      ...(process.getuid() === 0 ? ["--no-sandbox"] : []),
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
      ...args,
    ],
  });

/** A page in a profile of its own, and the faults that it had. */
export async function open({ browser, context }, address, options = {}) {
  const profile = await browser.newContext({ viewport: { width: 900, height: 700 }, ...options });
  context.after(() => profile.close());
  const page = await profile.newPage();
  const faults = [];
  page.on("pageerror", (error) => faults.push(`uncaught: ${error.message}`));
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) faults.push(`console: ${message.text()}`);
  });
  await page.goto(address);
  return { page, faults };
}

/** The page of the timeline over a store in memory with these options. */
export const withOptions = (address, options) => `${address}#${encodeURIComponent(JSON.stringify(options))}`;

/** Waits until the page has painted what it has. */
export const painted = (page) =>
  page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))));

/** Runs `done` in the page at each frame until it returns true. Fails after a number of frames. */
export async function until(page, done, argument) {
  const isDone = await page.evaluate(
    async ([source, argument]) => {
      const holds = new Function("argument", `return (${source})(argument)`);
      for (let frame = 0; frame < 1200; frame += 1) {
        if (holds(argument)) return true;
        await new Promise((resolve) => requestAnimationFrame(resolve));
      }
      return false;
    },
    [String(done), argument],
  );
  assert.ok(isDone, `never true: ${done}`);
}

/** The page of the timeline over a store in memory, with the pointer over it. */
export async function openTimeline(place, address, options) {
  const opened = await open(place, withOptions(address, options));
  await opened.page.locator(".line").first().waitFor();
  await opened.page.mouse.move(450, 300);
  await painted(opened.page);
  return opened;
}

/** Turns the wheel once for each frame. */
export async function wheel(page, step, times) {
  for (let at = 0; at < times; at += 1) {
    await page.mouse.wheel(0, step);
    await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(resolve)));
  }
}

/** Ends `watch` of frames.mjs, and returns the frames. */
export const stop = (page) => page.evaluate(() => globalThis.stopWatch());

export const sum = (values) => values.reduce((one, other) => one + other, 0);
