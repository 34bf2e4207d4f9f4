// A storage in memory: for Node.js, for tests, and for browsers that refuse IndexedDB.

import type { Commit, Storage, Stored } from "./storage.js";
import type { FirstScreen, Meta, RoomRecord, StoredEvent, Unsent } from "../core/records.js";

/** A storage whose content ends with the program. It can be opened again after `close`. */
export class MemoryStorage implements Storage {
  #meta: Meta | null = null;
  readonly #rooms = new Map<string, RoomRecord>();
  readonly #events = new Map<string, Map<string, StoredEvent>>();
  readonly #unsent = new Map<string, Unsent>();
  readonly #commands = new Map<string, number>();
  /** The first screen of the last commit. */
  first: FirstScreen | null = null;

  async load(): Promise<Stored> {
    const [rooms, unsent, commands] = [[...this.#rooms.values()], [...this.#unsent.values()], [...this.#commands]];
    return structuredClone({ meta: this.#meta, rooms, unsent, commands });
  }

  async events(roomId: string): Promise<StoredEvent[]> {
    return structuredClone([...(this.#events.get(roomId)?.values() ?? [])]);
  }

  async commit(commit: Commit): Promise<void> {
    const { meta, rooms, cleared, events, unsent, commands, first } = structuredClone(commit);
    this.#meta = meta;
    this.first = first ?? this.first;
    for (const roomId of cleared) this.#events.delete(roomId);
    for (const [roomId, record] of rooms) put(this.#rooms, roomId, record);
    for (const [roomId, changed] of events) {
      const stored = this.#events.get(roomId) ?? new Map<string, StoredEvent>();
      this.#events.set(roomId, stored);
      for (const [eventId, event] of changed) put(stored, eventId, event);
    }
    for (const [echoId, it] of unsent) put(this.#unsent, echoId, it);
    for (const [name, actionId] of commands) put(this.#commands, name, actionId);
  }

  async erase(): Promise<void> {
    this.#meta = this.first = null;
    for (const records of [this.#rooms, this.#events, this.#unsent, this.#commands]) records.clear();
  }

  async close(): Promise<void> {}
}

function put<T>(records: Map<string, T>, key: string, value: T | null): void {
  if (value === null) records.delete(key);
  else records.set(key, value);
}
