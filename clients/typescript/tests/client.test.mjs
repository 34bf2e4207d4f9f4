// The client against the server at ROOKERY_URL, over a network that cuts; `cargo xtask test clients` sets the address.

import assert from "node:assert/strict";
import { test } from "node:test";
import { parse } from "graphql";
import WebSocket from "ws";
import { Activity, connect, FollowDocument, logIn, Refused, StreamEnded } from "../dist/index.js";
import { CREATE_ROOM, HOME, JOIN_ROOM, LOG_OUT, SEND_MESSAGE } from "../../../tests/clients/operations.mjs";
import { act, ask, before, PASSWORD, register } from "../../../tests/clients/person.mjs";
import { proxy } from "../../../tests/clients/proxy.mjs";

const server = process.env.ROOKERY_URL;
const text = (item) => item.__typename === "MessageEvent" && item.text;
const positionOf = async (client) => (await client.query(HOME)).initialSync.position;

/** A user with a room, and a client that retries at once. */
async function scene(context, name, url = server) {
  const { token, userId } = await register(name);
  const { room } = await act(token, CREATE_ROOM, { name: "Rooks", preset: "PUBLIC" });
  const options = { url, token, webSocket: WebSocket, wait: async () => {} };
  const client = await connect(options);
  context.after(() => client.close());
  return { token, userId, roomId: room.roomId, options, client };
}

/** Follows until `isLast` holds; returns all items, the gaps, and the position after them. */
async function followUntil(client, isLast, options) {
  const items = [];
  const gaps = [];
  const sequences = client.sequences();
  for await (const chunk of client.follow(options)) {
    items.push(...chunk.events);
    gaps.push(...sequences.take(chunk));
    if (items.some(isLast)) return { items, gaps, position: chunk.position };
  }
  throw new Error("the stream ended");
}

/** Numbers between 0 and 1 that look random and are the same in each run (mulberry32). */
function dice(seed) {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let mixed = Math.imul(seed ^ (seed >>> 15), seed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

for (const seed of [1, 2, 3]) {
  test(`over_random_cuts_each_event_comes_once_and_each_action_happens_once_in_order: seed ${seed}`, async (context) => {
    const roll = dice(seed);
    let budgets = 60;
    // Three of four connections are cut, the first sixty of them, after at most 6,000 bytes.
    const network = await proxy(context, () => (budgets-- > 0 && roll() < 0.75 ? roll() * 6000 : Infinity));
    const { client, roomId } = await scene(context, `cut${seed}`, network.url);
    const bob = await register(`stranger${seed}`);
    const after = await positionOf(client);
    await act(bob.token, JOIN_ROOM, { room: { roomId } });

    const mine = Array.from({ length: 60 }, (_, index) => `mine ${index}`);
    const theirs = Array.from({ length: 60 }, (_, index) => `theirs ${index}`);
    const told = followUntil(client, (item) => text(item) === "the end", { after });
    const actions = mine.map((body) => client.send(roomId, body, { draft: body }));
    const say = async () => {
      for (const body of theirs) {
        await act(bob.token, SEND_MESSAGE, { roomId, body });
        if (body.endsWith("0")) network.cut();
      }
    };
    const [answers] = await Promise.all([Promise.all(actions.map(({ answer }) => answer)), say()]);
    await act(bob.token, SEND_MESSAGE, { roomId, body: "the end" });

    const { items, gaps } = await told;
    assert.deepEqual(gaps, []);
    const bodies = items.map(text).filter((body) => body);
    assert.deepEqual(bodies.filter((body) => body.startsWith("mine")), mine);
    assert.deepEqual(bodies.filter((body) => body.startsWith("theirs")), theirs);
    for (const item of items) client.echoes.acknowledge({ actionId: null, ...item });
    assert.deepEqual(client.echoes.pending, []);
    const timeline = (await before(bob.token, roomId, null)).map(({ eventId }) => eventId);
    const stream = items.map(({ eventId }) => eventId).filter(Boolean);
    assert.deepEqual(stream, timeline.slice(-stream.length));
    assert.deepEqual(answers.map(({ event }) => event.actionId), mine.map((_, index) => index + 1));
    assert.ok(network.cuts >= 20, `only ${network.cuts} cuts`);
  });
}

test("a_client_that_starts_again_goes_on_counting_and_asks_for_what_it_had_not_heard", async (context) => {
  const { client, options, roomId } = await scene(context, "again");
  const first = await client.send(roomId, "first").answer;
  client.close();
  const next = await connect(options);
  context.after(() => next.close());
  const unheard = next.resend(1, SEND_MESSAGE, { roomId, body: "first" });
  assert.equal((await unheard.answer).event.eventId, first.event.eventId);
  const second = next.send(roomId, "second");
  assert.deepEqual([second.actionId, (await second.answer).event.sequence], [2, first.event.sequence + 1]);
});

test("an_echo_stays_until_its_event_or_a_refusal_comes", async (context) => {
  const { client, roomId } = await scene(context, "echo");
  const after = await positionOf(client);
  const states = () => client.echoes.pending.map(({ draft, state }) => `${draft} is ${state}`);

  const { answer } = client.send(roomId, "hello", { draft: "one" });
  assert.deepEqual(states(), ["one is sending"]);
  await answer;
  assert.deepEqual(states(), ["one is stored"]);
  const { items } = await followUntil(client, (item) => text(item) === "hello", { after });
  assert.equal(client.echoes.acknowledge(items.at(-1)), "one");
  assert.deepEqual(states(), []);

  const refused = client.send("!nowhere", "nobody hears this", { draft: "two" });
  assert.equal((await refused.answer).refusal.code, "NO_SUCH_ROOM");
  assert.deepEqual(states(), []);
});

test("a_position_that_the_server_does_not_know_is_followed_by_a_sync", async (context) => {
  const { client, roomId } = await scene(context, "restored");
  const position = await positionOf(client);
  // The first bytes name the log: this is a position of another one.
  const foreign = (position.startsWith("A") ? "B" : "A") + position.slice(1);
  const syncs = [];
  const sync = async () => {
    syncs.push(await positionOf(client));
    await client.send(roomId, "after the sync").answer;
    return syncs[0];
  };
  const { items } = await followUntil(client, (item) => text(item) === "after the sync", { after: foreign, sync });
  assert.deepEqual([syncs.length, items.map(text)], [1, ["after the sync"]]);
  await assert.rejects(followUntil(client, () => false, { after: foreign }), { code: "POSITION_UNKNOWN" });
});

test("a_revoked_token_ends_the_stream_for_good", async (context) => {
  const { client, roomId, token } = await scene(context, "revoked");
  const after = await positionOf(client);
  await client.send(roomId, "hello").answer;
  const follow = async () => {
    for await (const { events } of client.follow({ after })) {
      assert.deepEqual(events.map(text), ["hello"]);
      await act(token, LOG_OUT, {});
    }
  };
  await assert.rejects(follow(), (error) => error instanceof StreamEnded && error.code === 4403);
});

test("a_closed_client_ends_its_loops_and_gives_up_its_actions", async (context) => {
  const { client, roomId } = await scene(context, "closing");
  const after = await positionOf(client);
  await client.send(roomId, "one").answer;
  for await (const chunk of client.follow({ after })) {
    assert.deepEqual(chunk.events.map(text), ["one"]);
    client.close();
  }
  await assert.rejects(client.send(roomId, "two").answer, { name: "AbortError" });
});

test("many_chunks_that_wait_come_once_each", async (context) => {
  const { client, roomId } = await scene(context, "patient");
  const after = await positionOf(client);
  const count = 600;
  const sent = async () => {
    for (let number = 0; number < count; number++) client.send(roomId, `${number}`);
    await client.send(roomId, "the end").answer;
  };
  const bodies = [];
  const stream = client.follow({ after, sync: () => assert.fail("nothing to sync") });
  const take = async () => bodies.push(...(await stream.next()).value.events.map(text));
  const first = take();
  await sent();
  await first;
  while (bodies.at(-1) !== "the end") await take();
  await stream.return();
  assert.deepEqual(bodies.slice(0, -1), Array.from({ length: count }, (_, number) => `${number}`));
});

test("logging_in_answers_a_token_and_a_wrong_password_is_a_refusal", async () => {
  const { userId } = await register("login");
  const input = { username: "login", password: PASSWORD };
  const login = await logIn({ url: server }, input);
  assert.equal(login.user.userId, userId);
  assert.equal((await ask(login.token, HOME)).initialSync.user.userId, userId);
  const wrong = logIn({ url: server }, { ...input, password: "not this one" });
  await assert.rejects(wrong, (error) => error instanceof Refused && error.code === "WRONG_CREDENTIALS");
});

test("each_call_can_be_given_up_with_a_signal", async (context) => {
  const { client, options, roomId } = await scene(context, "signal");
  const given = AbortSignal.abort();
  const aborted = { name: "AbortError" };
  await assert.rejects(connect(options, { signal: given }), aborted);
  await assert.rejects(logIn({ url: server }, { username: "signal", password: PASSWORD }, { signal: given }), aborted);
  await assert.rejects(client.query(HOME, {}, { signal: given }), aborted);
  await assert.rejects(client.setTyping(roomId, true, { signal: given }), aborted);
  await assert.rejects(client.send(roomId, "never", { signal: given, draft: "never" }).answer, aborted);
  assert.deepEqual(client.echoes.pending, []);
  for await (const _ of client.follow({ signal: given })) assert.fail("the stream was given up");
  // The others go on.
  const ending = new AbortController();
  const after = await positionOf(client);
  await client.send(roomId, "hello").answer;
  for await (const { events } of client.follow({ after, signal: ending.signal })) {
    assert.deepEqual(events.map(text), ["hello"]);
    ending.abort();
  }
});

test("documents_may_be_text_parsed_or_generated", async (context) => {
  const { client } = await scene(context, "forms");
  const forms = [HOME, parse(HOME), new String(HOME)];
  const [one, ...others] = await Promise.all(forms.map((form) => client.query(form)));
  for (const other of others) assert.deepEqual(other.initialSync.rooms, one.initialSync.rooms);
  for await (const chunk of client.follow({ document: FollowDocument })) {
    assert.equal(typeof chunk.position, "string");
    break;
  }
});

test("typing_and_presence_come_with_the_stream_and_are_whole_again_after_a_cut", async (context) => {
  const network = await proxy(context);
  const { client, roomId } = await scene(context, "watcher", network.url);
  const friend = await register("typist");
  await act(friend.token, JOIN_ROOM, { room: { roomId } });
  const other = await connect({ url: server, token: friend.token, webSocket: WebSocket });
  context.after(() => other.close());
  const there = other.follow();
  await there.next();
  await other.setPresence("UNAVAILABLE", { statusMessage: "at tea" });
  await other.setTyping(roomId, true);

  const activity = new Activity();
  const stream = client.follow({ ephemeral: true });
  const until = async (holds) => {
    do activity.take((await stream.next()).value);
    while (!holds());
  };
  const isTyping = () => activity.typing.get(roomId)?.includes(friend.userId) ?? false;
  await until(() => isTyping() && activity.presence.get(friend.userId)?.statusMessage === "at tea");
  assert.equal(activity.presence.get(friend.userId).presence, "UNAVAILABLE");
  network.cut();
  await other.setTyping(roomId, false);
  await until(() => !isTyping());
  assert.equal(activity.presence.get(friend.userId).statusMessage, "at tea");
  await stream.return();
  await there.return();
  await assert.rejects(other.setTyping("!nowhere", true), (error) => error instanceof Refused);
});

test("unread_counts_come_when_they_change_also_over_a_cut", async (context) => {
  const network = await proxy(context, () => Infinity);
  const { client, roomId } = await scene(context, "counter", network.url);
  const bob = await register("counted");
  await act(bob.token, JOIN_ROOM, { room: { roomId } });
  const stream = client.follow({ after: await positionOf(client), counts: true });
  const until = async (unread) => {
    for (;;) {
      const { counts } = (await stream.next()).value;
      if (counts.some(({ room, unreadCount }) => room.roomId === roomId && unreadCount === unread)) return;
    }
  };
  for (let said = 0; said < 3; said++) await act(bob.token, SEND_MESSAGE, { roomId, body: "hello" });
  await until(3);
  network.cut();
  await act(bob.token, SEND_MESSAGE, { roomId, body: "hello" });
  await until(4);
  await stream.return();
});

test("logging_out_ends_the_client_and_the_session", async (context) => {
  const { client, options, token } = await scene(context, "leaver");
  const stream = client.follow();
  await stream.next();
  await client.logOut();
  assert.equal((await stream.next()).done, true);
  await assert.rejects(client.query(HOME), { name: "AbortError" });
  await assert.rejects(connect(options), { code: "UNAUTHENTICATED" });
  const again = await logIn({ url: server }, { username: "leaver", password: PASSWORD });
  assert.notEqual(again.token, token);
});

test("a_message_with_a_name_is_sent_once_over_cuts_and_by_the_next_client", async (context) => {
  let budgets = 8;
  const network = await proxy(context, () => (budgets-- > 0 ? 700 + budgets * 100 : Infinity));
  const { client, roomId, token } = await scene(context, "named", network.url);
  const next = await connect({ url: server, token, webSocket: WebSocket, wait: async () => {} });
  context.after(() => next.close());
  const names = Array.from({ length: 10 }, (_, index) => `reply to ${index}`);
  const sent = await Promise.all(names.map((name) => client.sendOnce(name, roomId, name)));
  const again = await Promise.all(names.map((name) => next.sendOnce(name, roomId, "in other words")));
  assert.deepEqual(again.map(({ event }) => event.eventId), sent.map(({ event }) => event.eventId));
  assert.equal(new Set(sent.map(({ event }) => event.eventId)).size, names.length);
  assert.ok(network.cuts >= 1, "no cut");
});
