// One browser and one address of timelines for all tests of a file.

import { after, before } from "node:test";
import { launch, openTimeline } from "./pages.mjs";
import { serve } from "./served.mjs";

/** Starts both before the tests of the file, and ends them afterwards. Returns the function that opens a timeline for a test. */
export function timelines() {
  let browser;
  let address;
  const ends = [];
  before(async () => {
    browser = await launch();
    address = await serve({ after: (end) => ends.push(end) }, "timeline-page.mjs");
  });
  after(async () => {
    await browser?.close();
    for (const end of ends) await end();
  });
  return (context, options) => openTimeline({ browser, context }, address, options);
}
