// The visible echoes, in any order of answers and events.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Echoes } from "../dist/index.js";

const drafts = (echoes) => echoes.pending.map(({ draft, state }) => `${draft} is ${state}`);

/** Two started actions. */
function two() {
  const echoes = new Echoes();
  echoes.add(1, "one");
  echoes.add(2, "two");
  return echoes;
}

test("an_answer_that_comes_first_leaves_the_echo_until_the_event_comes", () => {
  const echoes = two();
  echoes.answered(2, { eventId: "$2" });
  assert.deepEqual(drafts(echoes), ["one is sending", "two is stored"]);
  assert.equal(echoes.acknowledge({ actionId: 2 }), "two");
  assert.deepEqual(drafts(echoes), ["one is sending"]);
});

test("an_event_that_comes_first_takes_the_echo_away_and_the_answer_changes_nothing", () => {
  const echoes = two();
  assert.equal(echoes.acknowledge({ actionId: 1 }), "one");
  echoes.answered(1, { eventId: "$1" });
  assert.deepEqual(drafts(echoes), ["two is sending"]);
});

test("an_answer_without_an_event_takes_the_echo_away", () => {
  const echoes = two();
  echoes.answered(1, null);
  assert.deepEqual(drafts(echoes), ["two is sending"]);
});

test("events_of_others_and_of_other_devices_take_nothing_away", () => {
  const echoes = two();
  assert.equal(echoes.acknowledge({ actionId: null }), undefined);
  assert.equal(echoes.acknowledge({ actionId: 7 }), undefined);
  assert.deepEqual(drafts(echoes), ["one is sending", "two is sending"]);
});
