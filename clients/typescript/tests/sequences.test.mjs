// The definition of a gap.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Sequences } from "../dist/index.js";

const room = { roomId: "!a" };
const event = (sequence) => ({ __typename: "MessageEvent", room, sequence });
const opened = (sequence) => ({ __typename: "RoomOpened", room, sequence });
const closed = { __typename: "RoomClosed", roomId: "!a" };
const skip = (first, last) => ({ roomId: "!a", first, last, reason: "LATE" });

/** The gaps in a stream of chunks, each given as its events and its skipped ranges. */
function gaps(...chunks) {
  const sequences = new Sequences();
  return chunks.flatMap(([events, skipped = []]) => sequences.take({ events, skipped })).map(({ first, last }) => [first, last]);
}

test("numbers_that_are_told_or_skipped_are_no_gap", () => {
  assert.deepEqual(gaps([[opened(3), event(3)]], [[event(4), event(7)], [skip(5, 6)]], [[], [skip(8, 8)]], [[event(9)]]), []);
});

test("numbers_that_are_neither_told_nor_skipped_are_a_gap", () => {
  assert.deepEqual(gaps([[opened(3), event(5)]]), [[3, 4]]);
  assert.deepEqual(gaps([[event(1)]], [[event(2), event(6)], [skip(3, 4)]]), [[5, 5]]);
  assert.deepEqual(gaps([[event(1)]], [[], [skip(3, 4)]], [[event(5)]]), [[2, 2]]);
});

test("what_is_below_the_opening_of_a_room_is_passed_over", () => {
  assert.deepEqual(gaps([[event(1), closed, opened(9), event(9)], [skip(2, 3), skip(10, 10)]], [[event(11)]]), []);
});

test("a_room_that_was_not_opened_before_our_eyes_begins_with_its_first_event", () => {
  assert.deepEqual(gaps([[event(40)]], [[event(41), event(43)]]), [[42, 42]]);
});
