// The conversation that each client holds, written once. An adapter implements these operations with a client:
//
//   open({ url, token }) returns a client, without a login if there is no token, which has
//     run(document, variables)                 returns the data of a query or a mutation, and throws on errors
//     subscribe(document, variables, observer) calls next(data), then error(reason) or complete(); returns a function that stops it
//     scroll(roomId, cursor)                   returns the timeline before a cursor, if the client has its own way
//     close()                                  ends it
//   isFinal(reason)                            whether a subscription failed because the token is not valid
//   form                                       the form of the answer to a subscription: a content type, or "websocket"
//
// No adapter lets its client reconnect by itself: see `follow`.

import assert from "node:assert/strict";
import { test } from "node:test";
import { CREATE_ROOM, HOME, JOIN_ROOM, LOG_IN, LOG_OUT, OLDER, SEND_MESSAGE, STREAM } from "./operations.mjs";
import { act, before, PASSWORD, register } from "./person.mjs";
import { proxy } from "./proxy.mjs";

/** Failures in a row after which a client gives up: the server is near and always runs. */
const FAILURES_MAX = 20;

/** Follows the stream over cuts: each connection gets a new subscription, from the last handled position. */
export function follow(client, position, isFinal) {
  const stream = { items: [], chunks: [], subscriptions: 0 };
  let wake = () => {};
  let end;
  let failures = 0;
  const subscribe = () => {
    stream.subscriptions++;
    let isOver = false;
    const again = (reason) => {
      if (isOver) return;
      isOver = true;
      if (isFinal(reason) || ++failures > FAILURES_MAX) return wake((end = reason));
      setImmediate(subscribe);
    };
    const next = ({ eventStream }) => {
      failures = 0;
      stream.chunks.push(eventStream);
      stream.items.push(...eventStream.events);
      position = eventStream.position;
      wake();
    };
    stream.stop = client.subscribe(STREAM, { after: position }, { next, error: again, complete: again });
  };
  subscribe();
  let read = 0;
  stream.until = async (fits) => {
    for (;;) {
      while (read < stream.items.length) if (fits(stream.items[read++])) return stream.items[read - 1];
      if (end) throw end;
      await new Promise((resolve) => (wake = resolve));
    }
  };
  return stream;
}

/** The events before a cursor, oldest first, by pages of two. */
async function scroll(client, room, cursor) {
  const events = [];
  for (let page = { hasPreviousPage: true, startCursor: cursor }; page.hasPreviousPage; ) {
    const { timeline } = (await client.run(OLDER, { room, before: page.startCursor })).room;
    events.unshift(...timeline.nodes);
    page = timeline.pageInfo;
  }
  return events;
}

/** The payload of a mutation; fails on refusals. */
async function perform(client, document, input) {
  const [payload] = Object.values(await client.run(document, { input }));
  assert.equal(payload.refusal ?? null, null, JSON.stringify(payload.refusal));
  return payload;
}

const isText = (text) => (item) => item.text === text;

/** Tests that a client logs in, syncs, subscribes, sends, loses its connection, resumes, scrolls back and logs out. */
export function converse(name, adapter) {
  const username = name.toLowerCase().replaceAll(/[^a-z0-9]+/g, "-");
  test(`a_whole_conversation_is_held_over_a_cut: ${name}`, async (context) => {
    const network = await proxy(context);
    const alice = await register(`alice-${username}`);
    const bob = await register(`bob-${username}`);
    const { room } = await act(alice.token, CREATE_ROOM, { name: "Rooks", invite: [bob.userId] });
    const { roomId } = room;
    const say = (body) => act(alice.token, SEND_MESSAGE, { roomId, body });
    await say("before Bob");
    const open = async (token) => {
      const client = await adapter.open({ url: network.url, token });
      context.after(() => client.close());
      return client;
    };

    const nobody = await open();
    const { token } = await perform(nobody, LOG_IN, { username: `bob-${username}`, password: PASSWORD });
    const client = await open(token);
    const home = (await client.run(HOME)).initialSync;
    assert.deepEqual(home.invites.map((invite) => invite.roomId), [roomId]);

    const stream = follow(client, home.position, adapter.isFinal);
    await perform(client, JOIN_ROOM, { room: { roomId }, actionId: 1 });
    const opened = await stream.until((item) => item.__typename === "RoomOpened");
    await say("hello Bob");
    await stream.until(isText("hello Bob"));
    const hello = { roomId, body: "hello Alice", actionId: 2 };
    const { event } = await perform(client, SEND_MESSAGE, hello);

    network.cut();
    assert.ok(network.cuts >= 1);
    await say("are you there?");
    const mine = await stream.until(isText("hello Alice"));
    assert.deepEqual([mine.eventId, mine.actionId], [event.eventId, 2]);
    await stream.until(isText("are you there?"));
    assert.equal(stream.subscriptions > 1, true, "the cut was not felt");
    assert.equal((await perform(client, SEND_MESSAGE, hello)).event.eventId, event.eventId, "a retry makes nothing new");
    await say("good night");
    await stream.until(isText("good night"));
    assert.ok(network.forms.has(adapter.form), [...network.forms].join());

    const older = await (client.scroll ?? ((...places) => scroll(client, ...places)))(roomId, opened.cursor);
    const told = stream.items.filter((item) => item.__typename.endsWith("Event"));
    const timeline = await before(alice.token, roomId, null);
    assert.deepEqual([...older, ...told].map((it) => it.eventId), timeline.map((it) => it.eventId));

    const ended = assert.rejects(stream.until(() => false), (reason) => adapter.isFinal(reason));
    // Over a socket the answer may not come, since the socket ends with the token.
    await perform(client, LOG_OUT, {}).catch((reason) => assert.ok(adapter.isFinal(reason), reason));
    await ended;
    const late = follow(client, home.position, adapter.isFinal);
    await assert.rejects(late.until(() => false), (reason) => adapter.isFinal(reason));
    assert.equal(late.subscriptions, 1, "who is logged out tries no more");
  });
}
