// The core of the store: any order of answers, stream, pages and restarts gives the store of a fresh first screen.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Core } from "../dist/store/core/core.js";
import { takeCommit } from "../dist/store/core/save.js";
import { ViewCache } from "../dist/store/core/views.js";
import { MemoryStorage } from "../dist/store/index.js";
import { act, dice, ME, ModelServer } from "./store-model.mjs";

const ROOMS = ["!a", "!b", "!c"];
const STEPS = 160;
const first = Number(process.env.SEED ?? Math.floor(Math.random() * 2 ** 31));
const RUNS = Number(process.env.RUNS ?? (process.env.SEED ? 1 : 120));

/** A device: its core, its storage, and the questions that wait for their answers. */
class Device {
  storage = new MemoryStorage();
  inFlight = [];

  constructor(server, roll) {
    Object.assign(this, { server, roll });
  }

  async start() {
    this.core = new Core(ME, await this.storage.load());
    this.views = new ViewCache(this.core);
    this.inFlight = [];
    const { meta } = this.core;
    if (meta.position === null) this.sync(true);
    else if (meta.next !== null) this.sync(false);
  }

  /** Reads the first screen. The server changes between its pages in other tests; here all pages are of one moment. */
  sync(isFresh) {
    if (!isFresh) return this.sync(true);
    for (let offset = 0; ; offset += 2) {
      const home = this.server.home(2, 4, offset);
      this.core.takeHome(home, offset === 0);
      if (home.initialSync.next === null) return;
    }
  }

  async loaded(roomId) {
    const room = this.core.rooms.get(roomId);
    if (room && !room.isLoaded) room.load(await this.storage.events(roomId));
    return room;
  }

  async follow() {
    const chunk = this.server.chunk(this.core.meta.position, 1 + Math.floor(this.roll() * 5));
    for (const roomId of this.core.roomsOf(chunk)) await this.loaded(roomId);
    this.core.takeChunk(chunk);
    this.tell();
  }

  /** Pages look at all views now and then, and the views keep their objects. */
  tell() {
    this.views.outdate(this.core.touched);
    this.core.touched.clear();
    for (const roomId of ROOMS) if (this.roll() < 0.5) this.views.get(`timeline:${roomId}`);
    this.views.get("home");
  }

  async save() {
    const commit = takeCommit(this.core, 0);
    if (commit) await this.storage.commit(commit);
  }

  /** Asks a question; the answer is made now or later, and taken later still. */
  ask(answer, take) {
    const { core } = this;
    const question = { tick: core.tick, answer: this.roll() < 0.5 ? structuredClone(answer()) : null };
    this.inFlight.push(() => {
      if (core === this.core) take(question.answer ?? answer(), question.tick);
    });
  }

  async load(roomId) {
    const room = await this.loaded(roomId);
    if (!room) return;
    const pick = room.segments[Math.floor(this.roll() * room.segments.length)];
    const what = this.roll();
    const size = 1 + Math.floor(this.roll() * 6);
    if (what < 0.15) {
      const { timeline } = this.server.rooms.get(roomId);
      const around = timeline[Math.floor(this.roll() * timeline.length)].eventId;
      this.ask(
        () => this.server.page(roomId, { around, first: size, last: size }),
        (page, tick) => this.is(room) && this.core.takePage(room, page, null, tick),
      );
    } else if (what < 0.25) {
      const rows = pick.items.filter((item) => room.isRow(item));
      const root = rows[Math.floor(this.roll() * rows.length)]?.event;
      if (!root || root.stateKey !== null) return;
      this.ask(
        () => this.server.threadPage(roomId, root.eventId),
        (it, tick) => this.is(room) && this.core.takeThread(room, it.root, it.page, tick),
      );
    } else if (what < 0.75) {
      if (pick.isStart) return;
      const [anchor, isLive] = [pick.items[0]?.event.eventId ?? null, pick.isLive];
      const before = pick.before ?? undefined;
      this.ask(
        () => this.server.page(roomId, { last: size, before, relations: !isLive, backfill: true }),
        (page, tick) => this.takeBeside(room, page, { anchor, side: "before" }, tick),
      );
    } else if (!pick.isLive && pick.items.length > 0) {
      const [anchor, after] = [pick.items.at(-1).event.eventId, pick.after];
      this.ask(
        () => this.server.page(roomId, { first: size, after }),
        (page, tick) => this.takeBeside(room, page, { anchor, side: "after" }, tick),
      );
    }
  }

  takeBeside(room, page, side, tick) {
    const isKnown = side.anchor === null || room.items.get(side.anchor)?.segment;
    if (this.is(room) && isKnown) this.core.takePage(room, page, side, tick);
  }

  is(room) {
    return this.core.rooms.get(room.roomId) === room;
  }

  async step() {
    const what = this.roll();
    const roomId = ROOMS[Math.floor(this.roll() * ROOMS.length)];
    if (what < 0.35) act(this.server, roomId, this.roll);
    else if (what < 0.36) this.server.page("!c", { last: 1_000, backfill: true });
    else if (what < 0.6) await this.follow();
    else if (what < 0.75) await this.load(roomId);
    else if (what < 0.88) this.inFlight.splice(Math.floor(this.roll() * this.inFlight.length), 1).forEach((take) => take());
    else if (what < 0.95) await this.save();
    else if (what < 0.97 && this.inFlight.length === 0) await this.trim(roomId);
    else if (what > 0.985) await this.start();
    else if (what > 0.98) this.sync(true);
    this.tell();
  }

  async trim(roomId) {
    const room = await this.loaded(roomId);
    room.trim(3 + Math.floor(this.roll() * 8));
    this.core.changed(room);
  }

  /** Everything comes in, and what is stale is asked for. */
  async settle() {
    for (const take of this.inFlight.splice(0)) take();
    while (Number(this.core.meta.position) < this.server.log.length) await this.follow();
    for (let isStale = true; isStale; ) {
      isStale = false;
      for (const roomId of ROOMS) {
        const room = await this.loaded(roomId);
        const stale = room.stale();
        if (!room.record.isStale && stale.length === 0 && !room.record.missing) continue;
        isStale = true;
        for (let before; room.record.missing; ) {
          const page = this.server.page(roomId, { last: 4, before, relations: false });
          if (this.core.takeMissing(room, structuredClone(page), this.core.tick)) break;
          before = page.pageInfo.startCursor;
        }
        if (room.record.isStale) this.core.takeSummary(room, structuredClone(this.server.told(roomId)), this.core.tick);
        for (const { event } of stale) this.core.takeOne(room, structuredClone(this.server.oneEvent(roomId, event.eventId)), this.core.tick);
      }
    }
    this.tell();
  }
}

/** The rows between two events of the whole timeline of a fresh device. */
function slice(rows, all, { items }) {
  const places = new Map(all.map(({ eventId }, index) => [eventId, index]));
  const [from, to] = [places.get(items[0].event.eventId), places.get(items.at(-1).event.eventId)];
  return rows.filter(({ eventId }) => places.get(eventId) >= from && places.get(eventId) <= to);
}

async function compare(device, server) {
  const fresh = new Core(ME, { meta: null, rooms: [], unsent: [], commands: [] });
  fresh.takeHome(structuredClone(server.home(ROOMS.length, 10_000)), true);
  const truth = new ViewCache(fresh);
  assert.deepEqual(device.views.get("home"), truth.get("home"));
  for (const roomId of ROOMS) {
    const room = device.core.rooms.get(roomId);
    const { timeline } = server.rooms.get(roomId);
    const whole = truth.get(`timeline:${roomId}`).segments[0].rows;
    const all = device.views.get(`timeline:${roomId}`).segments;
    assert.equal(all.length, room.segments.length);
    for (const [index, { rows, isStart, isLive }] of all.entries()) {
      const segment = room.segments[index];
      if (segment.items.length === 0) continue;
      assert.deepEqual(rows, slice(whole, timeline, segment));
      assert.ok(!isStart || segment.items[0].event.type === "m.room.create");
      assert.equal(isLive, segment.items.at(-1).event.eventId === timeline.at(-1).eventId);
    }
    const [mine, theirs] = [device.views.get(`room:${roomId}`), truth.get(`room:${roomId}`)];
    assert.deepEqual({ ...mine, readUpTo: null }, { ...theirs, readUpTo: null });
    assert.equal(room.record.readUpTo ?? null, server.rooms.get(roomId).receipts.get(ME) ?? null);
    for (const root of room.threads.keys()) {
      const { nodes } = server.threadPage(roomId, root).page;
      const rows = device.views.get(`thread:${roomId}/${root}`).segments[0].rows;
      assert.deepEqual(rows.map(({ eventId }) => eventId), [root, ...nodes.map(({ eventId }) => eventId)]);
    }
  }
}

async function run(seed) {
  const roll = dice(seed);
  const server = new ModelServer();
  for (const roomId of ROOMS) server.createRoom(roomId);
  for (let count = 0; count < 60; count++) act(server, ROOMS[count % 3], roll);
  if (roll() < 0.5) {
    server.leaveHistoryElsewhere("!c");
    for (let count = Math.floor(roll() * 10); count > 0; count--) act(server, "!c", roll);
  }
  const device = new Device(server, roll);
  await device.start();
  for (let count = 0; count < STEPS; count++) await device.step();
  await device.settle();
  await compare(device, server);
  // What is stored is the same, and stands for the same store.
  await device.save();
  await device.start();
  await device.settle();
  await compare(device, server);
}

test(`any_interleaving_of_answers_pages_stream_and_restarts_gives_the_store_of_a_fresh_first_screen: seed ${first}`, async () => {
  for (let seed = first; seed < first + RUNS; seed++) {
    try {
      await run(seed);
    } catch (error) {
      error.message = `with SEED=${seed}: ${error.message}`;
      throw error;
    }
  }
});
