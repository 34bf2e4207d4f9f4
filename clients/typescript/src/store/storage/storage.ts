// Where a device keeps its store.
//
// Invariant: a commit is stored as a whole or not at all: position, rooms, events and unsent actions belong together.
// Invariant: commits are stored in their order.

import type { FirstScreen, Meta, RoomRecord, StoredEvent, Unsent } from "../core/records.js";

/** Changes that belong together. A value of null removes the record. */
export interface Commit {
  meta: Meta;
  rooms: Map<string, RoomRecord | null>;
  /** Rooms whose stored events go before the events of this commit come. */
  cleared: Set<string>;
  /** By room and event. */
  events: Map<string, Map<string, StoredEvent | null>>;
  /** By echo. */
  unsent: Map<string, Unsent | null>;
  /** The numbers of commands by their names. */
  commands: Map<string, number | null>;
  /** The first screen, if it has changed. */
  first: FirstScreen | null;
}

/** Everything but the events, which are read by room. */
export interface Stored {
  meta: Meta | null;
  rooms: RoomRecord[];
  unsent: Unsent[];
  commands: [name: string, actionId: number][];
}

/** The storage of one device. */
export interface Storage {
  load(): Promise<Stored>;
  /** The stored events of a room, in any order. */
  events(roomId: string): Promise<StoredEvent[]>;
  commit(commit: Commit): Promise<void>;
  /** Removes everything: after a logout nothing is left. */
  erase(): Promise<void>;
  close(): Promise<void>;
}
