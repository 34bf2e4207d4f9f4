// The store of a user who is in rooms of other servers: what those have not answered, and history that they bring later.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Core } from "../dist/store/core/core.js";
import { takeCommit } from "../dist/store/core/save.js";
import { ViewCache } from "../dist/store/core/views.js";
import { MemoryStorage } from "../dist/store/index.js";
import { ME, ModelServer } from "./store-model.mjs";

const ALIAS = "#hall:elsewhere";
const REFUSAL = { code: "FORBIDDEN", message: "no" };

/** A core that has read its first screen, and its storage. */
async function device(server = new ModelServer()) {
  const storage = new MemoryStorage();
  const core = new Core(ME, await storage.load());
  core.takeHome(server.home(10, 10), true);
  const actions = () => new ViewCache(core).get("remoteActions");
  return { core, storage, actions };
}

/** The stream tells the end of an action of this device. */
function end(core, endedId, refusal = null) {
  const event = { __typename: "RemoteActionEnded", endedId, actionKind: "JOIN", targetRoomId: "!hall", targetAlias: ALIAS, targetUserId: null, refusal };
  core.takeChunk({ events: [event], skipped: [], ephemeral: [], counts: [], position: core.meta.position, isFirst: false });
}

const pending = (actionId) => ({ id: `${actionId} `, actionId, kind: "JOIN", roomId: null, alias: ALIAS, userId: null, refusal: null });

test("a_join_that_other_servers_have_not_answered_is_shown_until_it_ends", async () => {
  const { core, actions } = await device();
  core.startRun(7);
  core.endRun(7, pending(7));
  assert.deepEqual(actions(), [pending(7)]);
  end(core, 7);
  assert.deepEqual(actions(), []);
});

test("a_refusal_of_another_server_stays_until_it_is_dismissed_also_over_a_restart", async () => {
  const { core, storage, actions } = await device();
  core.startRun(7);
  core.endRun(7, pending(7));
  end(core, 7, REFUSAL);
  await storage.commit(takeCommit(core, 0));
  const next = new Core(ME, await storage.load());
  for (const it of [core, next]) assert.deepEqual(new ViewCache(it).get("remoteActions"), [{ ...pending(7), roomId: "!hall", refusal: REFUSAL }]);
  core.dismiss("7 ");
  assert.deepEqual(actions(), []);
});

test("what_is_pending_is_not_dismissed", async () => {
  const { core, actions } = await device();
  core.startRun(7);
  core.endRun(7, pending(7));
  core.dismiss("7 ");
  assert.deepEqual(actions(), [pending(7)]);
});

test("an_end_that_comes_before_the_answer_counts", async () => {
  const { core, actions } = await device();
  for (const [actionId, refusal] of [[7, null], [8, REFUSAL]]) {
    core.startRun(actionId);
    end(core, actionId, refusal);
    assert.deepEqual(actions(), []);
    core.endRun(actionId, pending(actionId));
  }
  assert.deepEqual(actions().map(({ actionId, refusal }) => [actionId, refusal]), [[8, REFUSAL]]);
});

test("an_end_that_the_answer_told_is_not_shown_again", async () => {
  const { core, actions } = await device();
  core.startRun(7);
  core.endRun(7, null);
  end(core, 7, REFUSAL);
  core.startRun(8);
  end(core, 8, REFUSAL);
  core.endRun(8, null);
  assert.deepEqual(actions(), []);
});

test("a_refusal_of_an_action_whose_program_is_gone_is_shown_and_that_of_another_device_is_not", async () => {
  const { core, actions } = await device();
  end(core, 7, REFUSAL);
  end(core, null, REFUSAL);
  end(core, 8);
  assert.deepEqual(actions().map(({ actionId }) => actionId), [7]);
});

test("pending_actions_are_forgotten_with_the_stream_that_would_tell_their_end", async () => {
  const server = new ModelServer();
  const { core, actions } = await device(server);
  core.startRun(7);
  core.endRun(7, pending(7));
  core.takeHome(server.home(10, 10), true);
  assert.deepEqual(actions(), []);
});

/** A room with history elsewhere, of which a device has the last events. */
async function roomWithHistory() {
  const server = new ModelServer();
  server.createRoom("!a");
  for (let count = 0; count < 6; count++) server.add("!a", { sender: "@ada:x", content: { body: `text ${count}` } });
  server.leaveHistoryElsewhere("!a");
  return { server, ...(await device(server)) };
}

test("a_room_that_was_joined_in_the_middle_does_not_begin_with_its_join", async () => {
  const { server, core } = await roomWithHistory();
  const room = core.rooms.get("!a");
  assert.equal(room.live.isStart, false);
  const before = () => ({ last: 100, before: room.live.before, relations: false, backfill: true });
  core.takePage(room, server.page("!a", before()), { anchor: room.live.items[0].event.eventId, side: "before" }, core.tick);
  assert.deepEqual([room.live.isStart, room.live.items.length], [true, 11]);
});

test("history_that_others_fetch_moves_no_room_to_the_top", async () => {
  const { server, core } = await roomWithHistory();
  server.createRoom("!b");
  core.takeHome(server.home(10, 10), true);
  const order = () => new ViewCache(core).get("home").rooms.map(({ roomId }) => roomId);
  assert.deepEqual(order(), ["!b", "!a"]);
  server.page("!a", { last: 100, backfill: true });
  core.takeChunk(server.chunk(core.meta.position, 1));
  assert.deepEqual(order(), ["!b", "!a"]);
});

test("an_event_of_history_beside_another_one_of_the_same_depth_is_not_lost", async () => {
  const { server, core } = await roomWithHistory();
  const { remote } = server.rooms.get("!a");
  // Two branches: the later one of them is in the next page, and its place is behind the first.
  remote.at(-3).depth = remote.at(-2).depth;
  const room = core.rooms.get("!a");
  for (let pages = 0; !room.live.isStart; pages++) {
    assert.ok(pages < 20);
    const page = server.page("!a", { last: 2, before: room.live.before, relations: false, backfill: true });
    core.takePage(room, page, { anchor: room.live.items[0].event.eventId, side: "before" }, core.tick);
  }
  const ids = (events) => events.map(({ eventId }) => eventId);
  assert.deepEqual(ids(room.live.items.map(({ event }) => event)), ids(server.rooms.get("!a").timeline));
});
