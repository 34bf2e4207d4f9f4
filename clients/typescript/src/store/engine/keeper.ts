// Keeps the content of the core in the storage, and in memory within bounds.
//
// Invariant: commits are stored one after another, each with everything that changed before it.
// Invariant: a room's events are read from the storage once, before anything is folded into them.

import type { RoomId } from "../contract.js";
import { Core } from "../core/core.js";
import type { FirstScreen } from "../core/records.js";
import type { Room } from "../core/room.js";
import { ROOM_EVENTS_MAX, takeCommit } from "../core/save.js";
import type { Storage } from "../storage/storage.js";

/** About how many bytes the stored events have together at most. */
const BYTES_MAX = 50 * 1024 * 1024;
/** Most events in memory, without those of rooms that pages show. */
const EVENTS_MAX = 6_000;
/** The events of a room that stay when nobody has used it for long. */
const KEPT_EVENTS = 20;

export class Keeper {
  #saving: Promise<void> | null = null;
  #isBroken = false;
  readonly #loading = new Map<RoomId, Promise<void>>();

  constructor(
    private readonly storage: Storage,
    private readonly now: () => number = Date.now,
  ) {}

  /** The core with the stored content; an empty one if it cannot be read. */
  async load(userId: string): Promise<Core> {
    try {
      return new Core(userId, await this.storage.load());
    } catch {
      this.#isBroken = true;
      return new Core(userId, { meta: null, rooms: [], unsent: [], commands: [] });
    }
  }

  /** Stores the changes until now. Resolves when they are stored. `takeFirst` returns the first screen if it has changed. */
  save(core: Core, takeFirst?: () => FirstScreen | null): Promise<void> {
    const write = async () => {
      const commit = takeCommit(core, this.now(), takeFirst);
      if (!commit || this.#isBroken) return;
      try {
        await this.storage.commit(commit);
      } catch {
        // The disk is full, or the browser has taken the database away. What is stored misses a part from now on.
        this.#isBroken = true;
        await this.storage.erase().catch(() => {});
      }
    };
    // All saves that wait meanwhile are one commit.
    this.#next ??= (this.#saving ?? Promise.resolve()).then(() => {
      this.#next = null;
      return (this.#saving = write());
    });
    return this.#next;
  }
  #next: Promise<void> | null = null;

  /** Reads the events of a room, if they are in the storage alone. */
  loadRoom(room: Room): Promise<void> {
    if (room.isLoaded) return Promise.resolve();
    const running = this.#loading.get(room.roomId);
    if (running) return running;
    const read = async () => {
      const events = this.#isBroken ? null : await this.storage.events(room.roomId).catch(() => null);
      room.load(events ?? []);
      // The stored events are lost, so the room starts again with the newest page.
      if (events === null) room.restart();
      this.#loading.delete(room.roomId);
    };
    const loading = read();
    this.#loading.set(room.roomId, loading);
    return loading;
  }

  /** Forgets the oldest events of the rooms that were used longest ago, while there are too many. */
  async trim(core: Core, isShown: (roomId: RoomId) => boolean): Promise<void> {
    const rooms = [...core.rooms.values()].filter((room) => !isShown(room.roomId));
    let [events, bytes] = [0, 0];
    for (const room of core.rooms.values()) bytes += room.record.bytes;
    for (const room of rooms) {
      if (room.items.size > ROOM_EVENTS_MAX * 1.1) this.#trim(core, room, ROOM_EVENTS_MAX);
      events += room.items.size;
    }
    if (events <= EVENTS_MAX && bytes <= BYTES_MAX) return;
    rooms.sort((a, b) => a.record.usedAt - b.record.usedAt || a.record.activity - b.record.activity);
    for (const room of rooms) {
      if (events <= EVENTS_MAX * 0.8 && bytes <= BYTES_MAX * 0.8) return;
      if (Math.max(room.record.count, room.items.size) <= KEPT_EVENTS) continue;
      const before = room.items.size;
      bytes -= room.record.bytes;
      await this.loadRoom(room);
      if (core.rooms.get(room.roomId) === room) this.#trim(core, room, KEPT_EVENTS);
      events -= before - room.items.size;
    }
  }

  #trim(core: Core, room: Room, max: number): void {
    room.trim(max);
    core.changed(room);
  }

  /** Removes everything that is stored. */
  async erase(): Promise<void> {
    this.#isBroken = true;
    await this.#next;
    await this.#saving;
    await this.storage.erase();
  }

  async close(core: Core | null): Promise<void> {
    if (core) await this.save(core);
    this.#isBroken = true;
    await this.storage.close();
  }
}
