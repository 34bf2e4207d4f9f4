// Home takes about as long with many rooms as with few, and a device that has it stored shows it almost as soon as an empty page.
// ROOKERY and CHROMIUM are programs; `cargo xtask test browser` sets them.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { startServer } from "./relays.mjs";

let measured;
const ends = [];

before(async () => {
  // The measurement reads the address of the server when it is loaded.
  process.env.ROOKERY_URL = await startServer({ after: (end) => ends.push(end) }, ["--turn-listen", "127.0.0.1:0", "--limits-rate", "none"]);
  const { starts } = await import("./measure.mjs");
  measured = await starts([20, 1_000], 5);
});

after(async () => {
  for (const end of ends) await end();
});

test("home_with_1000_rooms_takes_at_most_one_and_a_half_times_as_long_as_with_20", (context) => {
  const [few, many] = measured.first;
  context.diagnostic(`20 rooms: ${Math.round(few)} ms, 1,000 rooms: ${Math.round(many)} ms`);
  assert.ok(many <= 1.5 * few, `${many} ms and ${few} ms`);
});

test("stored_home_of_20_and_of_1000_rooms_is_painted_in_at_most_twice_the_time_of_an_empty_page", (context) => {
  const { empty, later: [few, many] } = measured;
  context.diagnostic(`empty page: ${Math.round(empty)} ms, 20 rooms: ${Math.round(few)} ms, 1,000 rooms: ${Math.round(many)} ms`);
  assert.ok(Math.max(few, many) <= 2 * empty, `${few} ms, ${many} ms and ${empty} ms`);
});
