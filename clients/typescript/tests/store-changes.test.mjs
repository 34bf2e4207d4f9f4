// Changes of views: what goes from the hub to a page.

import assert from "node:assert/strict";
import { test } from "node:test";
import { apply, difference } from "../dist/store/tabs/changes.js";
import { dice } from "./store-fixture.mjs";

const row = (number) => ({ eventId: `$${number}`, roomId: "!r", content: { body: `message ${number}` }, reactions: [] });
const timeline = (rows, echoes = []) => ({ roomId: "!r", segments: [{ rows, isStart: false, isLive: true }], echoes, closed: null });
const rows = (count) => Array.from({ length: count }, (_, index) => row(index));
const sizeOf = (change) => JSON.stringify(change).length;

/** Applies the change as a page does, which gets a copy of it. */
const follow = (copy, before, after) => {
  const change = difference(before, after);
  return change ? apply(copy, structuredClone(change)) : copy;
};

test("an_event_in_a_room_of_10000_rows_costs_at_most_twice_its_own_size", () => {
  const before = timeline(rows(10_000));
  const after = timeline([...before.segments[0].rows, row(10_000)]);
  assert.ok(sizeOf(difference(before, after)) < 2 * JSON.stringify(row(10_000)).length + 100);
});

test("an_edit_and_a_page_above_cost_their_own_size_together", () => {
  const old = rows(1_000);
  const edited = { ...old[500], content: { body: "edited" } };
  const page = [row(-2), row(-1)];
  const before = timeline(old);
  const after = timeline([...page, ...old.slice(0, 500), edited, ...old.slice(501)]);
  assert.ok(sizeOf(difference(before, after)) < 600);
  assert.deepEqual(follow(structuredClone(before), before, after), after);
});

test("a_room_that_moves_to_the_top_of_1000_costs_its_changed_fields", () => {
  const before = Array.from({ length: 1_000 }, (_, index) => ({ roomId: `!${index}`, topic: "x".repeat(1_000), unreadCount: 0 }));
  const active = { ...before[900], unreadCount: 1 };
  const after = [active, ...before.filter(({ roomId }) => roomId !== active.roomId)];
  assert.ok(sizeOf(difference(before, after)) < 300);
  assert.deepEqual(follow(structuredClone(before), before, after), after);
});

test("objects_that_did_not_change_keep_their_identity", () => {
  const before = timeline(rows(100));
  const copy = structuredClone(before);
  const reacted = { ...before.segments[0].rows[7], reactions: [{ key: "+1", count: 1, isMine: true, userIds: [] }] };
  const after = timeline(before.segments[0].rows.with(7, reacted));
  const next = follow(copy, before, after);
  assert.deepEqual(next, after);
  next.segments[0].rows.forEach((it, index) => assert.equal(it === copy.segments[0].rows[index], index !== 7));
  assert.equal(next.segments[0].rows[7].content, copy.segments[0].rows[7].content);
});

test("an_equal_view_of_other_objects_is_no_change", () => {
  const view = timeline(rows(20), [{ echoId: "e", content: { list: [1, [2, { deep: null }]] } }]);
  assert.equal(difference(view, structuredClone(view)), null);
});

test("content_with_names_of_the_language_arrives_as_it_is", () => {
  const before = { content: JSON.parse('{"a": 1}') };
  const after = { content: JSON.parse('{"__proto__": {"polluted": true}, "constructor": [1], "toString": null}') };
  const next = follow(structuredClone(before), before, after);
  assert.equal(JSON.stringify(next), JSON.stringify(after));
  assert.equal({}.polluted, undefined);
});

for (const seed of [1, 2, 3]) {
  test(`a_copy_that_follows_changes_equals_the_view: seed ${seed}`, () => {
    const roll = dice(seed);
    const pick = (list) => list[Math.floor(roll() * list.length)];
    /** Any plain data: names repeat, lists mix what has names with what has none. */
    const make = (depth) => {
      const kind = roll();
      if (depth === 0 || kind < 0.2) return pick([null, 0, 1, "a", "eventId $1", true]);
      if (kind < 0.6) return Array.from({ length: roll() * 6 }, () => make(depth - 1));
      return Object.fromEntries(
        Array.from({ length: roll() * 4 }, () => [pick(["eventId", "roomId", "key", "x", "rows"]), make(depth - 1)]),
      );
    };
    const vary = (value) => {
      if (roll() < 0.1) return make(3);
      if (roll() < 0.3 || typeof value !== "object" || value === null) return value;
      if (!Array.isArray(value)) {
        return Object.fromEntries(Object.entries(value).flatMap(([name, it]) => (roll() < 0.1 ? [] : [[name, vary(it)]])));
      }
      const list = value.map((it) => (roll() < 0.3 ? vary(it) : it));
      if (roll() < 0.3) list.splice(roll() * list.length, roll() * 3, ...Array.from({ length: roll() * 3 }, () => make(2)));
      if (roll() < 0.3 && list.length > 1) list.unshift(...list.splice(roll() * list.length, 1));
      return list;
    };
    let view = make(9);
    let copy = structuredClone(view);
    for (let round = 0; round < 3_000; round++) {
      const next = roll() < 0.05 ? make(9) : vary(view);
      copy = follow(copy, view, next);
      assert.deepEqual(copy, next);
      view = next;
    }
  });
}
