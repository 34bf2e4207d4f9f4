// The store against the server at ROOKERY_URL, over a network that cuts, with a database and kills at any moment.

import assert from "node:assert/strict";
import { test } from "node:test";
import { IDBFactory, IDBDatabase, IDBKeyRange } from "fake-indexeddb";
import WebSocket from "ws";
import { Core } from "../dist/store/core/core.js";
import { firstScreen } from "../dist/store/core/first.js";
import { ViewCache } from "../dist/store/core/views.js";
import { IndexedDBStorage, MemoryStorage, openLocalStore, readFirstScreen } from "../dist/store/index.js";
import { CREATE_ROOM, JOIN_ROOM, SEND_MESSAGE } from "../../../tests/clients/operations.mjs";
import { act, ask, PASSWORD } from "../../../tests/clients/person.mjs";
import { proxy } from "../../../tests/clients/proxy.mjs";
import { dice } from "./store-model.mjs";
import { until } from "./store-until.mjs";

globalThis.IDBKeyRange ??= IDBKeyRange;

const REGISTER = `mutation ($input: RegisterInput!) { register(input: $input) { token deviceId user { userId } refusal { code } } }`;
const REACT = `mutation ($input: AddReactionInput!) { addReaction(input: $input) { event { eventId } refusal { code } } }`;
const REDACT = `mutation ($input: RedactEventInput!) { redactEvent(input: $input) { event { eventId } refusal { code } } }`;
const NAME = `mutation ($input: SetRoomNameInput!) { setRoomName(input: $input) { refusal { code } } }`;
const PROFILE = `mutation ($input: SetProfileInput!) { setProfile(input: $input) { refusal { code } } }`;
const READ = `mutation ($input: MarkRoomReadInput!) { markRoomRead(input: $input) { refusal { code } } }`;
const KICK = `mutation ($input: KickUserInput!) { kickUser(input: $input) { refusal { code } } }`;
const LEAVE = `mutation ($input: LeaveRoomInput!) { leaveRoom(input: $input) { refusal { code } } }`;
const IGNORE = `mutation ($input: SetUserIgnoredInput!) { setUserIgnored(input: $input) { refusal { code } } }`;
const STREAM_END = "the end";

const seeds = process.env.SEED ? [Number(process.env.SEED)] : [1, 2].map(() => Math.floor(Math.random() * 2 ** 31));
let names = 0;

async function user(name) {
  const { token, deviceId, user } = await act(null, REGISTER, { username: `${name}-${Date.now()}-${names++}`, password: PASSWORD });
  return { token, deviceId, userId: user.userId };
}

/** A database that a kill leaves as it is at this moment: transactions that have not ended are undone. */
class Disk {
  factory = new IDBFactory();
  #life = 0;
  #killed = new Promise(() => {});
  #open = new Set();

  storage() {
    const storage = new IndexedDBStorage("device", this.factory);
    const life = this.#life;
    // A program that was killed writes nothing more, and learns nothing more.
    for (const name of ["commit", "erase"]) {
      const method = storage[name].bind(storage);
      storage[name] = (...given) => (life === this.#life ? method(...given).catch((error) => (life === this.#life ? Promise.reject(error) : this.#killed)) : this.#killed);
    }
    return storage;
  }

  /** Every transaction of the database, so that a kill can abort it. */
  watch(transaction) {
    this.#open.add(transaction);
    transaction.addEventListener("complete", () => this.#open.delete(transaction));
    transaction.addEventListener("abort", () => this.#open.delete(transaction));
  }

  kill() {
    this.#life++;
    for (const transaction of this.#open) {
      try {
        transaction.abort();
      } catch {
        // It has ended, and its event is on the way.
      }
    }
    this.#open.clear();
  }
}

const disks = new Map();
const begin = IDBDatabase.prototype.transaction;
IDBDatabase.prototype.transaction = function (...given) {
  const transaction = begin.apply(this, given);
  if (given[1] === "readwrite") disks.get(this.name)?.watch(transaction);
  return transaction;
};

class Scene {
  sent = [];
  /** Rooms that the device was removed from: what it wanted to send there is gone. */
  left = new Set();
  store = null;
  /** How often the stored first screen was compared. */
  firsts = 0;

  constructor(context, roll) {
    Object.assign(this, { context, roll });
  }

  async begin() {
    [this.me, this.ada, this.bob] = await Promise.all(["me", "ada", "bob"].map(user));
    this.rooms = [];
    for (const name of ["one", "two", "three"]) {
      const { room } = await act(this.ada.token, CREATE_ROOM, { name, preset: "PUBLIC" });
      for (const { token } of [this.me, this.bob]) await act(token, JOIN_ROOM, { room: { roomId: room.roomId } });
      this.rooms.push(room.roomId);
    }
    let budgets = 40;
    this.network = await proxy(this.context, () => (budgets-- > 0 && this.roll() < 0.5 ? 2_000 + this.roll() * 60_000 : Infinity));
    this.disk = new Disk();
    disks.set("device", this.disk);
    this.start();
    this.context.after(() => this.store.engine.close());
  }

  session(url) {
    const { token, deviceId, userId } = this.me;
    return { url, token, deviceId, userId };
  }

  start() {
    const storage = this.disk.storage();
    this.store = openLocalStore(this.session(this.network.url), { storage, webSocket: WebSocket, wait: async () => {} });
    for (const roomId of this.rooms) this.store.subscribe(`timeline:${roomId}`, () => {});
  }

  /** The program ends in the middle of whatever it does. */
  async restart() {
    this.disk.kill();
    void this.store.engine.close();
    await new Promise((resolve) => setImmediate(resolve));
    await this.compareFirst();
    this.start();
  }

  /** The stored first screen is that of the stored rooms. */
  async compareFirst() {
    const storage = new IndexedDBStorage("device", this.disk.factory);
    const stored = await storage.load();
    await storage.close();
    const first = await readFirstScreen("device", this.disk.factory);
    if (stored.meta?.position == null) return assert.equal(first, null);
    this.firsts++;
    const views = new ViewCache(new Core(this.me.userId, stored));
    assert.deepEqual(first, firstScreen(views.get("home"), views.get("viewer")));
  }

  pick(list) {
    return list[Math.floor(this.roll() * list.length)];
  }

  rows(roomId) {
    return (this.store.get(`timeline:${roomId}`)?.segments ?? []).flatMap(({ rows }) => rows);
  }

  /** Somebody else does something. */
  async other() {
    const { token } = this.pick([this.ada, this.bob]);
    const roomId = this.pick(this.rooms);
    const messages = this.rows(roomId).filter(({ type, redaction }) => type === "m.room.message" && !redaction);
    const target = this.pick(messages);
    const what = this.roll();
    // Some are refused: it is not their event, or it was redacted.
    const run = (document, input) => ask(token, document, { input });
    if (what < 0.3 || !target) return run(SEND_MESSAGE, { roomId, body: `theirs ${this.roll()}` });
    if (what < 0.45) return run(SEND_MESSAGE, { roomId, body: `edit ${this.roll()}`, edits: target.eventId });
    if (what < 0.6) return run(REACT, { roomId, eventId: target.eventId, key: this.pick(["👍", "🐦", "❤️"]) });
    if (what < 0.7) return run(SEND_MESSAGE, { roomId, body: "in a thread", threadRoot: target.eventId });
    if (what < 0.8) return run(REDACT, { roomId, eventId: target.eventId, reason: "why" });
    if (what < 0.86) return run(READ, { roomId, eventId: target.eventId });
    if (what < 0.9) return ask(this.ada.token, NAME, { input: { roomId, name: `name ${this.roll()}` } });
    if (what < 0.93) return run(PROFILE, { displayName: `called ${this.roll()}` });
    if (what < 0.95) return run(SEND_MESSAGE, { roomId, body: "an answer", replyTo: target.eventId });
    if (what < 0.97) {
      await ask(this.bob.token, LEAVE, { input: { roomId } });
      return ask(this.bob.token, JOIN_ROOM, { input: { room: { roomId } } });
    }
    if (what < 0.985) {
      this.left.add(roomId);
      await ask(this.ada.token, KICK, { input: { roomId, userId: this.me.userId } });
      // Another client of the same user joins again.
      return ask(this.me.token, JOIN_ROOM, { input: { room: { roomId } } });
    }
    return this.ignore();
  }

  async ignore() {
    await ask(this.me.token, IGNORE, { input: { userId: this.bob.userId, isIgnored: true } });
    return ask(this.me.token, IGNORE, { input: { userId: this.bob.userId, isIgnored: false } });
  }

  /** The device does something. */
  own() {
    const { store } = this;
    const roomId = this.pick(this.rooms);
    const target = this.pick(this.rows(roomId).filter(({ type }) => type === "m.room.message"));
    const what = this.roll();
    const ignoring = (promise) => promise.catch((error) => assert.ok(["Refused", "AbortError"].includes(error.name), String(error)));
    if (what < 0.4 || !target) {
      const message = { roomId, actionId: null };
      this.sent.push(message);
      const stored = ({ echoId }) => {
        if (store === this.store) message.actionId = Number(echoId.split(" ").at(-1));
      };
      return void ignoring(store.send(roomId, { body: `mine ${this.sent.length}` }).then(stored));
    }
    if (what < 0.5) return void ignoring(store.edit(roomId, target.eventId, { body: `my edit ${this.roll()}` }));
    if (what < 0.6) return void ignoring(store.react(roomId, target.eventId, "👍"));
    if (what < 0.66) return void ignoring(store.unreact(roomId, target.eventId, "👍"));
    if (what < 0.7) return void ignoring(store.redact(roomId, target.eventId));
    if (what < 0.8) return void ignoring(store.loadBefore(roomId, this.roll() < 0.5 ? target.eventId : undefined, 5));
    if (what < 0.85) return void ignoring(store.loadAfter(roomId, target.eventId, 5));
    if (what < 0.9) return void ignoring(store.loadAround(roomId, { eventId: target.eventId }));
    if (what < 0.95) return void ignoring(store.loadThread(roomId, target.eventId));
    return void ignoring(store.markRead(roomId, target.eventId));
  }

  async step() {
    const what = this.roll();
    if (what < 0.5) await this.other();
    else if (what < 0.9) this.own();
    else if (what < 0.95) this.network.cut();
    else await this.restart();
    // Sometimes the answers come before the next step.
    if (this.roll() < 0.3) await ask(this.me.token, "{ server { name } }");
  }

  /** Everything is sent and has come. */
  async settle() {
    const { store } = this;
    await until(store, "status", ({ phase, unsent }) => phase === "live" && unsent === 0);
    for (const roomId of this.rooms) {
      await act(this.ada.token, SEND_MESSAGE, { roomId, body: STREAM_END });
      const ended = (it) => it.segments.some(({ rows }) => rows.at(-1)?.content.body === STREAM_END) && it.echoes.every(({ refusal }) => refusal);
      await until(store, `timeline:${roomId}`, ended);
    }
    await store.engine.settled();
  }
}

/** A store without any content but what the server tells now, with whole timelines. */
async function fresh(scene) {
  const session = scene.session(process.env.ROOKERY_URL);
  const store = openLocalStore(session, { storage: new MemoryStorage(), webSocket: WebSocket });
  await until(store, "home", ({ isComplete }) => isComplete);
  for (const roomId of scene.rooms) {
    store.subscribe(`timeline:${roomId}`, () => {});
    while (!(await store.loadBefore(roomId)).isEnd);
  }
  return store;
}

/** The rows of the whole timeline from the first to the last one of a segment. */
function same(rows, whole) {
  const from = whole.findIndex(({ eventId }) => eventId === rows[0].eventId);
  return whole.slice(from, from + rows.length);
}

/** Compares everything that two stores show. */
function compare(scene, store, truth) {
  const withoutCounts = ({ rooms, ...home }) => ({ ...home, rooms });
  assert.deepEqual(withoutCounts(store.get("home")), withoutCounts(truth.get("home")));
  for (const roomId of scene.rooms) {
    assert.deepEqual(store.get(`room:${roomId}`), truth.get(`room:${roomId}`));
    const [{ rows: whole, isStart }, ...more] = truth.get(`timeline:${roomId}`).segments;
    assert.deepEqual([isStart, more], [true, []]);
    const { segments } = store.get(`timeline:${roomId}`);
    assert.ok(segments.some(({ isLive }) => isLive));
    for (const { rows, isLive } of segments) {
      if (rows.length > 0) assert.deepEqual(rows, same(rows, whole));
      if (isLive) assert.equal(rows.at(-1).eventId, whole.at(-1).eventId);
    }
    const ids = segments.flatMap(({ rows }) => rows.map(({ eventId }) => eventId));
    assert.equal(new Set(ids).size, ids.length, "nothing is shown twice");
  }
}

for (const seed of seeds) {
  test(`over_cuts_and_kills_the_store_is_that_of_a_fresh_first_screen_and_sends_each_message_once: seed ${seed}`, async (context) => {
    const scene = new Scene(context, dice(seed));
    await scene.begin();
    for (let count = 0; count < 200; count++) await scene.step();
    await scene.restart();
    assert.ok(scene.firsts > 0);
    await scene.settle();
    const truth = await fresh(scene);
    context.after(() => truth.engine.close());

    // Each message that the store had accepted is there once, in the order of the calls.
    for (const roomId of scene.rooms) {
      const { segments } = truth.get(`timeline:${roomId}`);
      const numbers = segments[0].rows.map(({ actionId }) => actionId).filter((actionId) => actionId !== null);
      assert.deepEqual(numbers, [...new Set(numbers)].sort((a, b) => a - b));
      const accepted = scene.sent.filter((it) => it.roomId === roomId && it.actionId !== null).map(({ actionId }) => actionId);
      if (!scene.left.has(roomId)) assert.deepEqual(accepted.filter((it) => !numbers.includes(it)), []);
    }
    // Counts come a little later than events.
    let error;
    for (let tries = 0; tries < 40; tries++) {
      try {
        compare(scene, scene.store, truth);
        error = undefined;
        break;
      } catch (failure) {
        error = failure;
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    }
    if (error) throw error;
    // What is stored is the same again.
    await scene.store.engine.close();
    scene.start();
    await until(scene.store, "status", ({ phase }) => phase === "live");
    for (const roomId of scene.rooms) await until(scene.store, `timeline:${roomId}`, () => true);
    await scene.store.engine.settled();
    compare(scene, scene.store, truth);
  });
}
