// Conversations with graphql-ws, the basis of most other clients.

import assert from "node:assert/strict";
import { test } from "node:test";
import { CREATE_ROOM, HOME, JOIN_ROOM, LOG_OUT, SEND_MESSAGE } from "./operations.mjs";
import { act, ask, before, follow, register } from "./person.mjs";

const isText = (text) => (item) => item.text === text;

test("conversation_goes_on_over_a_cut_and_scrollback_meets_the_stream", async (context) => {
  const alice = await register("alice");
  const bob = await register("bob");
  const { room } = await act(alice.token, CREATE_ROOM, { name: "Rooks", invite: [bob.userId] });
  const say = (person, body, actionId) =>
    act(person.token, SEND_MESSAGE, { roomId: room.roomId, body, actionId }).then(({ event }) => event);
  await say(alice, "before Bob");

  const home = (await ask(bob.token, HOME)).initialSync;
  assert.deepEqual(home.rooms, []);
  assert.deepEqual(home.invites, [{ roomId: room.roomId, name: "Rooks", inviter: { userId: alice.userId } }]);

  const stream = follow(context, bob.token, home.position);
  const joined = await act(bob.token, JOIN_ROOM, { room: { roomId: room.roomId }, actionId: 1 });
  assert.deepEqual(joined.room, { roomId: room.roomId, name: "Rooks", memberCount: 2 });
  const opened = await stream.until((item) => item.__typename === "RoomOpened");
  assert.equal(opened.room.roomId, room.roomId);

  const hello = await say(alice, "hello Bob");
  assert.equal((await stream.until(isText("hello Bob"))).eventId, hello.eventId);
  const answer = await say(bob, "hello Alice", 2);
  assert.deepEqual(await say(bob, "hello Alice", 2), answer, "a retry gives the first result again");

  stream.cut();
  await say(alice, "are you there?");
  const mine = await stream.until(isText("hello Alice"));
  assert.deepEqual([mine.eventId, mine.actionId], [answer.eventId, 2]);
  await stream.until(isText("are you there?"));
  assert.deepEqual([stream.sockets.length, stream.closed], [2, [1006]]);

  const events = stream.items.filter((item) => item.__typename.endsWith("Event"));
  const whole = [...(await before(bob.token, room.roomId, opened.cursor)), ...events];
  const timeline = await before(bob.token, room.roomId, null);
  assert.deepEqual(whole.map((event) => event.eventId), timeline.map((event) => event.eventId));
  assert.deepEqual(timeline.map((event) => event.sequence), timeline.map((_, index) => index + 1));
});

test("after_logging_out_the_socket_closes_and_stays_closed", async (context) => {
  const carol = await register("carol");
  const { position } = (await ask(carol.token, HOME)).initialSync;
  const stream = follow(context, carol.token, position);
  await act(carol.token, CREATE_ROOM, { name: "Alone" });
  await stream.until((item) => item.__typename === "RoomOpened");
  const ended = assert.rejects(stream.until(() => false), { code: 4403 });
  await act(carol.token, LOG_OUT, {});
  await ended;
  assert.deepEqual([stream.sockets.length, stream.closed], [1, [4403]]);
});
