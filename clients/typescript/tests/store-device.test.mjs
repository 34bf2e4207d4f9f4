// A device and its database: the queue of messages, what is erased, and the bounds. Against the server at ROOKERY_URL.

import assert from "node:assert/strict";
import { test } from "node:test";
import { IDBFactory, IDBKeyRange } from "fake-indexeddb";
import WebSocket from "ws";
import { IndexedDBStorage, MemoryStorage, openLocalStore } from "../dist/store/index.js";
import { Core } from "../dist/store/core/core.js";
import { Keeper } from "../dist/store/engine/keeper.js";
import { CREATE_ROOM, JOIN_ROOM, SEND_MESSAGE } from "../../../tests/clients/operations.mjs";
import { act, ask, PASSWORD } from "../../../tests/clients/person.mjs";
import { proxy } from "../../../tests/clients/proxy.mjs";
import { ME, ModelServer } from "./store-model.mjs";
import { until } from "./store-until.mjs";

globalThis.IDBKeyRange ??= IDBKeyRange;

const REGISTER = `mutation ($input: RegisterInput!) { register(input: $input) { token deviceId user { userId } refusal { code } } }`;
const LOG_IN = `mutation ($input: LogInInput!) { logIn(input: $input) { token refusal { code } } }`;
const REMOVE = `mutation ($input: RemoveDeviceInput!) { removeDevice(input: $input) { refusal { code } } }`;
const KICK = `mutation ($input: KickUserInput!) { kickUser(input: $input) { refusal { code } } }`;
const IGNORE = `mutation ($input: SetUserIgnoredInput!) { setUserIgnored(input: $input) { refusal { code } } }`;
const JOIN = `mutation ($input: JoinRoomInput!) { joinRoom(input: $input) { room { roomId } refusal { code } } }`;
let names = 0;

async function user(name) {
  const username = `${name}-${Date.now()}-${names++}`;
  const { token, deviceId, user } = await act(null, REGISTER, { username, password: PASSWORD });
  return { username, token, deviceId, userId: user.userId };
}

/** A user with a room of another user, and a store with a database behind a network. */
async function scene(context) {
  const [me, ada] = await Promise.all(["me", "ada"].map(user));
  const { room } = await act(ada.token, CREATE_ROOM, { name: "The Tower", preset: "PUBLIC" });
  await act(me.token, JOIN_ROOM, { room: { roomId: room.roomId } });
  const network = await proxy(context);
  const factory = new IDBFactory();
  const open = (url = network.url, options = {}) => {
    const { token, deviceId, userId } = me;
    const storage = new IndexedDBStorage("device", factory);
    const store = openLocalStore({ url, token, deviceId, userId }, { storage, webSocket: WebSocket, wait: quickly, ...options });
    context.after(() => store.engine.close());
    return store;
  };
  return { me, ada, roomId: room.roomId, network, factory, open };
}

const quickly = () => new Promise((resolve) => setTimeout(resolve, 20));
const bodies = ({ segments }) => segments.at(-1).rows.map(({ content }) => content.body).filter((body) => body);
const live = (store) => until(store, "status", ({ phase }) => phase === "live");

/** Everything in the database. */
async function content(factory) {
  const storage = new IndexedDBStorage("device", factory);
  const { rooms, unsent, meta } = await storage.load();
  const events = await Promise.all(rooms.map(({ roomId }) => storage.events(roomId)));
  await storage.close();
  return { meta, rooms, unsent, events: events.flat() };
}

test("what_is_sent_offline_is_sent_in_order_and_once_by_the_next_program", async (context) => {
  const { ada, roomId, open } = await scene(context);
  const first = open();
  await live(first);
  await first.engine.close();

  // Nothing answers at this address.
  const offline = open("http://127.0.0.1:1");
  await until(offline, "status", ({ phase }) => phase === "offline");
  const wanted = Array.from({ length: 30 }, (_, index) => `offline ${index}`);
  const echoes = await Promise.all(wanted.map((body) => offline.send(roomId, { body })));
  assert.deepEqual(echoes.map(({ state }) => state), wanted.map(() => "queued"));
  const shown = await until(offline, `timeline:${roomId}`, ({ echoes }) => echoes.length === wanted.length);
  assert.deepEqual(shown.echoes.map(({ content }) => content.body), wanted);
  assert.equal(offline.get("status").unsent, wanted.length);
  await offline.engine.close();

  const next = open();
  const sent = await until(next, `timeline:${roomId}`, (view) => view.echoes.length === 0 && bodies(view).length === wanted.length);
  assert.deepEqual(bodies(sent), wanted);
  await act(ada.token, SEND_MESSAGE, { roomId, body: "the end" });
  assert.deepEqual(bodies(await until(next, `timeline:${roomId}`, (view) => bodies(view).at(-1) === "the end")), [...wanted, "the end"]);
});

test("a_refused_message_stays_until_it_is_sent_again_or_discarded", async (context) => {
  const { roomId, open } = await scene(context);
  const store = open();
  await live(store);
  const echo = await store.edit(roomId, "$nothing", { body: "an edit of nothing" });
  const { echoes } = await until(store, `timeline:${roomId}`, (view) => view.echoes.some(({ state }) => state === "refused"));
  assert.deepEqual(echoes.map(({ echoId, edits, content }) => [echoId, edits, content.body]), [[echo.echoId, "$nothing", "an edit of nothing"]]);
  await store.retry(echo.echoId);
  await until(store, `timeline:${roomId}`, (view) => view.echoes[0]?.state === "refused");
  await store.discard(echo.echoId);
  assert.deepEqual(store.get(`timeline:${roomId}`).echoes, []);
  // The numbers go on.
  await store.send(roomId, { body: "after it" });
  await until(store, `timeline:${roomId}`, (view) => bodies(view).at(-1) === "after it" && view.echoes.length === 0);
});

test("nothing_of_a_room_stays_in_the_database_after_a_kick", async (context) => {
  const { me, ada, roomId, factory, open } = await scene(context);
  await act(ada.token, SEND_MESSAGE, { roomId, body: "a secret" });
  const store = open();
  await until(store, `timeline:${roomId}`, (view) => bodies(view).includes("a secret"));
  await store.setDraft(roomId, "a secret too");
  await live(store);
  assert.match(JSON.stringify(await content(factory)), /a secret/);
  await act(ada.token, KICK, { roomId, userId: me.userId, reason: "why" });
  const { closed, segments } = await until(store, `timeline:${roomId}`, (view) => view.closed);
  assert.deepEqual([closed, segments], [{ reason: "KICKED", byId: ada.userId }, []]);
  assert.deepEqual(store.get("home").rooms, []);
  await store.engine.close();
  const { rooms, events, meta } = await content(factory);
  assert.deepEqual([rooms, events], [[], []]);
  assert.doesNotMatch(JSON.stringify(meta), /a secret/);
});

test("a_logout_and_a_session_that_ends_elsewhere_erase_the_database", async (context) => {
  for (const isElsewhere of [false, true]) {
    const { me, roomId, factory, open } = await scene(context);
    const store = open();
    await live(store);
    await store.send(roomId, { body: "a secret" });
    if (isElsewhere) {
      const { token } = await act(null, LOG_IN, { username: me.username, password: PASSWORD });
      await act(token, REMOVE, { deviceId: me.deviceId });
    } else await store.logOut();
    const { reason } = await until(store, "status", ({ phase }) => phase === "ended");
    assert.ok(isElsewhere || reason === "LOGGED_OUT", reason);
    await store.engine.close();
    const databases = await factory.databases();
    assert.deepEqual(databases, []);
  }
});

test("a_redaction_takes_the_content_out_of_the_database", async (context) => {
  const { ada, roomId, factory, open } = await scene(context);
  const { event } = await act(ada.token, SEND_MESSAGE, { roomId, body: "a secret" });
  await act(ada.token, SEND_MESSAGE, { roomId, body: "a secret, edited", edits: event.eventId });
  const store = open();
  await until(store, `timeline:${roomId}`, (view) => bodies(view).includes("a secret, edited"));
  await act(ada.token, `mutation ($input: RedactEventInput!) { redactEvent(input: $input) { refusal { code } } }`, { roomId, eventId: event.eventId });
  const { segments } = await until(store, `timeline:${roomId}`, (view) => view.segments.at(-1).rows.some(({ redaction }) => redaction));
  assert.deepEqual(segments.at(-1).rows.filter(({ type }) => type === "m.room.message").map(({ content }) => content), [{}]);
  await store.engine.close();
  assert.doesNotMatch(JSON.stringify(await content(factory)), /a secret/);
});

test("a_store_of_another_log_begins_again", async (context) => {
  const { roomId, ada, factory, open } = await scene(context);
  const store = open();
  await live(store);
  await store.engine.close();
  const storage = new IndexedDBStorage("device", factory);
  const { meta } = await storage.load();
  const nothing = () => new Map();
  const lost = { ...meta, position: "AAAAAAAAAAAAAAAAAAAAAA" };
  await storage.commit({ meta: lost, rooms: nothing(), cleared: new Set(), events: nothing(), unsent: nothing(), commands: nothing(), first: null });
  await storage.close();
  await act(ada.token, SEND_MESSAGE, { roomId, body: "of this log" });
  const next = open();
  await until(next, `timeline:${roomId}`, (view) => bodies(view).includes("of this log"));
  await live(next);
});

test("the_messages_of_an_ignored_user_go_and_come_back_also_over_a_restart", async (context) => {
  const { me, ada, roomId, open } = await scene(context);
  await act(ada.token, SEND_MESSAGE, { roomId, body: "from Ada" });
  const store = open();
  await until(store, `timeline:${roomId}`, (view) => bodies(view).includes("from Ada"));
  const ignore = (isIgnored) => store.run(IGNORE, { userId: ada.userId, isIgnored });
  await ignore(true);
  await until(store, "viewer", ({ ignored }) => ignored.includes(ada.userId));
  await until(store, `timeline:${roomId}`, (view) => view.segments[0].isStart && !bodies(view).includes("from Ada"));
  await store.engine.close();
  const next = open();
  await live(next);
  await act(me.token, IGNORE, { userId: ada.userId, isIgnored: false });
  await until(next, `timeline:${roomId}`, (view) => bodies(view).includes("from Ada"));
});

test("after_a_long_time_the_first_screen_is_read_again_while_the_stored_one_is_shown", async (context) => {
  const { ada, roomId, open } = await scene(context);
  const store = open();
  await live(store);
  await store.engine.close();
  for (let count = 0; count < 15; count++) await act(ada.token, SEND_MESSAGE, { roomId, body: `missed ${count}` });
  const next = open(undefined, { resyncAfter: 0 });
  await next.engine.loaded();
  assert.deepEqual([next.get("home").isLoaded, next.get("home").rooms.length], [true, 1]);
  const { segments } = await until(next, `timeline:${roomId}`, (view) => bodies(view).at(-1) === "missed 14");
  assert.equal(segments.length, 1);
  await until(next, `room:${roomId}`, ({ unreadCount }) => unreadCount === 15);
});

test("a_room_that_the_device_joins_opens_with_its_history_and_another_ones_invite_ends", async (context) => {
  const { me, ada, open } = await scene(context);
  const store = open();
  await live(store);
  const { room } = await act(ada.token, CREATE_ROOM, { name: "The Cellar", preset: "PRIVATE", invite: [me.userId] });
  await act(ada.token, SEND_MESSAGE, { roomId: room.roomId, body: "before" });
  const { invites } = await until(store, "home", ({ invites }) => invites.length === 1);
  assert.deepEqual([invites[0].displayName, invites[0].inviterId], ["The Cellar", ada.userId]);
  const { joinRoom } = await store.run(JOIN, { room: { roomId: room.roomId } });
  assert.equal(joinRoom.room.roomId, room.roomId);
  await until(store, "home", ({ rooms, invites }) => rooms[0].roomId === room.roomId && invites.length === 0);
  const { segments } = await until(store, `timeline:${room.roomId}`, (view) => view.segments[0].isStart);
  assert.equal(segments.length, 1);
  await until(store, `room:${room.roomId}`, ({ memberCount, can }) => memberCount === 2 && can?.sendMessages);
});

test("a_draft_and_the_place_up_to_which_is_read_are_there_after_a_restart", async (context) => {
  const { ada, roomId, open } = await scene(context);
  await act(ada.token, SEND_MESSAGE, { roomId, body: "read this" });
  const store = open();
  const { segments } = await until(store, `timeline:${roomId}`, (view) => bodies(view).includes("read this"));
  const { eventId } = segments[0].rows.at(-1);
  await until(store, `room:${roomId}`, ({ unreadCount }) => unreadCount === 1);
  await store.markRead(roomId, eventId);
  await until(store, `room:${roomId}`, ({ unreadCount, readUpTo }) => unreadCount === 0 && readUpTo === eventId);
  await store.setDraft(roomId, "half a sen");
  await store.engine.close();
  const next = open("http://127.0.0.1:1");
  const { draft, readUpTo } = await until(next, `room:${roomId}`, (view) => view);
  assert.deepEqual([draft, readUpTo], ["half a sen", eventId]);
});

test("what_was_read_offline_is_stored_and_told_once_when_the_connection_is_back", async (context) => {
  const { me, ada, roomId, open } = await scene(context);
  const { eventId } = (await act(ada.token, SEND_MESSAGE, { roomId, body: "read me" })).event;
  const first = open();
  await live(first);
  await until(first, `timeline:${roomId}`, ({ segments }) => segments[0].rows.some((row) => row.eventId === eventId));
  await first.engine.close();

  const offline = open("http://127.0.0.1:1");
  await until(offline, `timeline:${roomId}`, ({ segments }) => segments[0].rows.some((row) => row.eventId === eventId));
  offline.markRead(roomId, eventId).catch(() => {});
  await until(offline, `room:${roomId}`, ({ readUpTo }) => readUpTo === eventId);
  await offline.engine.close();
  const again = open("http://127.0.0.1:1");
  await until(again, `room:${roomId}`, ({ readUpTo }) => readUpTo === eventId);
  await again.engine.close();

  const told = [];
  const { fetch } = globalThis;
  context.after(() => (globalThis.fetch = fetch));
  globalThis.fetch = (url, options) => {
    if (String(options?.body).includes("markRoomRead")) told.push(JSON.parse(options.body).variables.input.eventId);
    return fetch(url, options);
  };
  const online = open();
  await until(online, `room:${roomId}`, ({ unreadCount }) => unreadCount === 0);
  const query = `query ($roomId: RoomID!, $me: UserID!) { room(by: { roomId: $roomId }) { member(userId: $me) { readUpTo } } }`;
  assert.equal((await ask(me.token, query, { roomId, me: me.userId })).room.member.readUpTo, eventId);
  await online.engine.close();
  const last = open();
  await live(last);
  await act(ada.token, SEND_MESSAGE, { roomId, body: "after" });
  await until(last, `timeline:${roomId}`, (view) => bodies(view).includes("after"));
  assert.deepEqual(told, [eventId]);
});

test("members_typing_presence_and_profiles_follow_the_stream", async (context) => {
  const { me, ada, roomId, open } = await scene(context);
  const store = open();
  await live(store);
  await store.loadMembers(roomId);
  const { members, isComplete } = store.get(`members:${roomId}`);
  assert.deepEqual([members.map(({ userId }) => userId), isComplete], [[ada.userId, me.userId].sort(), true]);
  store.subscribe(`person:${ada.userId}`, () => {});

  const { token, deviceId, userId } = ada;
  const other = openLocalStore({ url: process.env.ROOKERY_URL, token, deviceId, userId }, { storage: new MemoryStorage(), webSocket: WebSocket });
  context.after(() => other.engine.close());
  await live(other);
  await other.setPresence("UNAVAILABLE", "at lunch");
  await until(store, `person:${ada.userId}`, (view) => view?.presence === "UNAVAILABLE" && view.statusMessage === "at lunch");
  await other.setTyping(roomId, true);
  await until(store, `room:${roomId}`, ({ typing }) => typing.includes(ada.userId));
  await other.setTyping(roomId, false);
  await until(store, "home", ({ rooms }) => rooms[0].typing.length === 0);

  await other.run(`mutation ($input: SetProfileInput!) { setProfile(input: $input) { refusal { code } } }`, { displayName: "Ada" });
  await until(store, `members:${roomId}`, (view) => view.members.some(({ displayName }) => displayName === "Ada"));
  await until(store, `person:${ada.userId}`, (view) => view.displayName === "Ada");
  // Her rows have her new name too.
  await until(store, `timeline:${roomId}`, ({ segments }) => segments[0].rows.every(({ senderId, senderName }) => senderId !== userId || senderName === "Ada"));

  const bob = await user("bob");
  await act(bob.token, JOIN_ROOM, { room: { roomId } });
  await until(store, `members:${roomId}`, ({ total }) => total === 3);
  await act(token, KICK, { roomId, userId: bob.userId });
  await until(store, `members:${roomId}`, ({ total, members }) => total === 2 && members.length === 2);
  await until(store, `room:${roomId}`, ({ memberCount }) => memberCount === 2);
});

test("a_thread_has_its_root_and_its_messages_and_the_timeline_has_the_root_alone", async (context) => {
  const { ada, roomId, open } = await scene(context);
  const send = async (input) => (await act(ada.token, SEND_MESSAGE, { roomId, ...input })).event.eventId;
  const root = await send({ body: "a question" });
  await send({ body: "one answer", threadRoot: root });
  const store = open();
  await live(store);
  assert.deepEqual(await store.loadThread(roomId, root), { added: 1, isEnd: true });
  const key = `thread:${roomId}/${root}`;
  assert.deepEqual(bodies(store.get(key)), ["a question", "one answer"]);
  await store.send(roomId, { body: "another answer", threadRoot: root });
  const { echoes } = await until(store, key, (view) => bodies(view).length === 3 && view.echoes.length === 0);
  assert.deepEqual(echoes, []);
  const { segments } = await until(store, `timeline:${roomId}`, (view) => view.segments[0].rows.at(-1).thread?.count === 2);
  assert.deepEqual(bodies({ segments }), ["a question"]);
  assert.equal(segments[0].rows.at(-1).thread.isParticipant, true);
  // What is read with the last row includes the messages of its thread.
  await store.markRead(roomId, root);
  await until(store, `room:${roomId}`, ({ unreadCount, readUpTo }) => unreadCount === 0 && readUpTo === root);
});

test("a_permalink_and_a_date_open_segments_that_become_one_when_the_gaps_between_are_loaded", async (context) => {
  const { ada, roomId, open } = await scene(context);
  const sent = [];
  for (let count = 0; count < 150; count++) sent.push((await act(ada.token, SEND_MESSAGE, { roomId, body: `${count}` })).event.eventId);
  const store = open();
  await live(store);
  await until(store, `timeline:${roomId}`, ({ segments }) => segments[0].rows.length >= 50);
  const key = `timeline:${roomId}`;
  store.subscribe(key, () => {});

  assert.equal(await store.loadAround(roomId, { eventId: sent[30] }), sent[30]);
  const [first, second] = store.get(key).segments;
  assert.ok(first.rows.some(({ eventId }) => eventId === sent[30]));
  assert.deepEqual([first.isLive, second.isLive, second.rows.at(-1).eventId], [false, true, sent[149]]);
  assert.equal(await store.loadAround(roomId, { eventId: "$nothing" }), null);

  // A reaction to an event outside the live segment: the server is asked for it.
  await act(ada.token, `mutation ($input: AddReactionInput!) { addReaction(input: $input) { refusal { code } } }`, { roomId, eventId: sent[30], key: "👍" });
  await until(store, key, ({ segments }) => segments[0].rows.find(({ eventId }) => eventId === sent[30])?.reactions[0]?.count === 1);

  const [{ sentAt }] = first.rows.filter(({ eventId }) => eventId === sent[20]);
  const found = await store.loadAround(roomId, { at: sentAt });
  const row = store.get(key).segments.flatMap(({ rows }) => rows).find(({ eventId }) => eventId === found);
  assert.equal(row.sentAt, sentAt);
  assert.equal(await store.loadAround(roomId, { at: "2999-01-01T00:00:00Z" }), sent[149]);

  for (let isEnd = false; !isEnd; ) ({ isEnd } = await store.loadAfter(roomId, sent[30], 20));
  for (let isEnd = false; !isEnd; ) ({ isEnd } = await store.loadBefore(roomId));
  const { segments } = store.get(key);
  assert.deepEqual([segments.length, segments[0].isStart, segments[0].isLive], [1, true, true]);
  assert.deepEqual(bodies({ segments }), sent.map((_, index) => `${index}`));
  assert.equal(segments[0].rows.find(({ eventId }) => eventId === sent[30]).reactions[0].count, 1);
});

/** A core with rooms of a model server. */
function core(server, timeline) {
  const it = new Core(ME, { meta: null, rooms: [], unsent: [], commands: [] });
  it.takeHome(server.home(1_000, timeline), true);
  return it;
}

test("at_most_1000_events_of_a_room_are_stored", async () => {
  const server = new ModelServer();
  server.createRoom("!a");
  for (let count = 0; count < 1_500; count++) server.add("!a", { sender: "@ada:x", content: { body: `text ${count}` } });
  const storage = new MemoryStorage();
  const keeper = new Keeper(storage);
  const device = core(server, 1_400);
  await keeper.save(device);
  const events = await storage.events("!a");
  assert.equal(events.length, 1_000);
  assert.equal(events.sort((a, b) => a.depth - b.depth)[0].content.body, "text 500");
  // The next event takes the place of the oldest one.
  server.add("!a", { sender: "@ada:x", content: { body: "one more" } });
  device.takeChunk(server.chunk(device.meta.position, 10));
  await keeper.save(device);
  assert.equal((await storage.events("!a")).length, 1_000);
  // Another program begins with them, and knows that it lacks those before.
  const next = new Core(ME, await storage.load());
  const room = next.rooms.get("!a");
  room.load(await storage.events("!a"));
  assert.deepEqual([room.live.items.length, room.live.isStart, room.live.before], [1_000, false, `c${room.live.items[0].event.eventId}`]);
});

test("rooms_that_were_used_longest_ago_lose_their_oldest_events", async () => {
  const server = new ModelServer();
  const rooms = Array.from({ length: 12 }, (_, index) => `!${index}`);
  for (const roomId of rooms) {
    server.createRoom(roomId);
    for (let count = 0; count < 700; count++) server.add(roomId, { sender: "@ada:x", content: { body: `text ${count}` } });
  }
  const storage = new MemoryStorage();
  const keeper = new Keeper(storage);
  const device = core(server, 700);
  for (const [index, roomId] of rooms.entries()) device.rooms.get(roomId).record.usedAt = index;
  await keeper.save(device);
  // 8,400 events are more than the 6,000 that stay in memory. A page shows the room that was used longest ago.
  await keeper.trim(device, (roomId) => roomId === "!0");
  await keeper.save(device);
  const counts = [];
  for (const roomId of rooms) counts.push((await storage.events(roomId)).length);
  assert.equal(counts[0], 700);
  const trimmed = counts.filter((count) => count === 20).length;
  assert.ok(trimmed >= 3 && trimmed <= 6, counts.join());
  assert.deepEqual(counts, [700, ...Array(trimmed).fill(20), ...Array(11 - trimmed).fill(700)]);
  const { rows } = { rows: device.rooms.get("!1").live.items };
  assert.equal(rows.at(-1).event.content.body, "text 699");
});

test("a_database_that_is_taken_away_while_the_program_runs_leaves_no_hole_in_a_room_and_does_not_come_back", async () => {
  const server = new ModelServer();
  server.createRoom("!a");
  for (let count = 0; count < 30; count++) server.add("!a", { sender: "@ada:x", content: { body: `text ${count}` } });
  const factory = new IDBFactory();
  const open = () => new IndexedDBStorage("device", factory);
  const first = new Keeper(open());
  await first.load(ME);
  await first.close(core(server, 20));

  const keeper = new Keeper(open());
  const device = await keeper.load(ME);
  const room = device.rooms.get("!a");
  assert.equal(room.record.segments.length, 1);
  // The user clears the data of the site.
  await new Promise((resolve) => (factory.deleteDatabase("device").onsuccess = resolve));
  await keeper.loadRoom(room);
  assert.deepEqual([room.live.items.length, room.live.before, room.live.isStart], [0, null, false]);
  // The newest events come with the next page, and what comes afterwards follows them.
  device.takePage(room, server.page("!a", { last: 10, relations: false }), { anchor: null, side: "before" }, device.tick);
  server.add("!a", { sender: "@ada:x", content: { body: "news" } });
  device.takeChunk(server.chunk(device.meta.position, 10));
  assert.equal(room.live.items.at(-1).event.content.body, "news");
  assert.equal(room.live.items[0].event.content.body, "text 20");
  await keeper.save(device);
  // A database with a part of the content would be taken for all of it.
  assert.deepEqual(await factory.databases(), []);
});

test("at_most_50_MB_are_stored_and_rooms_that_were_used_longest_ago_lose_their_oldest_events", async () => {
  const server = new ModelServer();
  const rooms = Array.from({ length: 10 }, (_, index) => `!${index}`);
  const body = "x".repeat(60_000);
  for (const roomId of rooms) {
    server.createRoom(roomId);
    for (let count = 0; count < 100; count++) server.add(roomId, { sender: "@ada:x", content: { body } });
  }
  const storage = new MemoryStorage();
  const keeper = new Keeper(storage);
  const device = core(server, 100);
  for (const [index, roomId] of rooms.entries()) device.rooms.get(roomId).record.usedAt = index;
  await keeper.save(device);
  const bytes = async () => {
    let sum = 0;
    for (const roomId of rooms) sum += JSON.stringify(await storage.events(roomId)).length;
    return sum;
  };
  assert.ok((await bytes()) > 55 * 1024 * 1024);
  await keeper.trim(device, () => false);
  await keeper.save(device);
  assert.ok((await bytes()) <= 50 * 1024 * 1024);
  const counts = await Promise.all(rooms.map(async (roomId) => (await storage.events(roomId)).length));
  assert.deepEqual([counts[0], counts.at(-1)], [20, 100]);
});

test("a_full_disk_ends_the_storage_and_not_the_chat", async () => {
  const server = new ModelServer();
  for (const roomId of ["!a", "!b"]) server.createRoom(roomId);
  for (let count = 0; count < 30; count++) server.add("!a", { sender: "@ada:x", content: { body: `text ${count}` } });
  const storage = new MemoryStorage();
  await new Keeper(storage).save(core(server, 20));

  const keeper = new Keeper(storage);
  const device = await keeper.load(ME);
  storage.commit = () => Promise.reject(new DOMException("full", "QuotaExceededError"));
  server.add("!b", { sender: "@ada:x", content: { body: "one more" } });
  await keeper.loadRoom(device.rooms.get("!b"));
  device.takeChunk(server.chunk(device.meta.position, 10));
  await keeper.save(device);
  // What was stored would miss a part: the next program begins with nothing.
  assert.deepEqual(await storage.load(), await new MemoryStorage().load());
  // A room whose events were in the storage alone has a gap before what comes, and no hole.
  const room = device.rooms.get("!a");
  await keeper.loadRoom(room);
  device.takePage(room, server.page("!a", { last: 10, relations: false }), { anchor: null, side: "before" }, device.tick);
  assert.deepEqual([room.segments.length, room.live.items.length, room.live.isStart], [1, 10, false]);
  assert.equal(room.live.items.at(-1).event.content.body, "text 29");
});
