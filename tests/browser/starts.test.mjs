// Home takes about as long with many rooms as with few.
// ROOKERY and CHROMIUM are programs; `cargo xtask test browser` sets them.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { startServer } from "./relays.mjs";

let measures;
const ends = [];

before(async () => {
  // The measurement reads the address of the server when it is loaded.
  process.env.ROOKERY_URL = await startServer({ after: (end) => ends.push(end) }, ["--turn-listen", "127.0.0.1:0", "--limits-rate", "none"]);
  measures = await import("./measure.mjs");
});

after(async () => {
  for (const end of ends) await end();
});

test("home_with_1000_rooms_takes_at_most_one_and_a_half_times_as_long_as_with_20", async (context) => {
  const [few, many] = await measures.homes(context, [20, 1_000], 7);
  context.diagnostic(`20 rooms: ${Math.round(few)} ms, 1,000 rooms: ${Math.round(many)} ms`);
  assert.ok(many <= 1.5 * few, `${many} ms and ${few} ms`);
});
