// The store of a page keeps a bounded number of events in memory.
// ROOKERY and CHROMIUM are programs; `cargo xtask test browser` sets them.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { startServer } from "./relays.mjs";

let measures;
const ends = [];

before(async () => {
  // The measurement reads the address of the server when it is loaded.
  process.env.ROOKERY_URL = await startServer({ after: (end) => ends.push(end) }, ["--turn-listen", "127.0.0.1:0", "--limits-rate", "none"]);
  measures = { ...(await import("./tabs/memory.mjs")), ...(await import("./tabs/scene.mjs")) };
  await measures.begin();
});

after(async () => {
  await measures?.end();
  for (const end of ends) await end();
});

test("the_heap_of_a_page_does_not_grow_with_events_that_it_does_not_show", async (context) => {
  const [some, twice] = await measures.heaps(context, [8_000, 16_000], 48, "x".repeat(1_500));
  context.diagnostic(`${some.toFixed(1)} MiB, then ${twice.toFixed(1)} MiB`);
  assert.ok(twice <= 1.3 * some, `${twice} MiB and ${some} MiB`);
});
