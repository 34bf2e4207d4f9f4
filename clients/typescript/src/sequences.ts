// Proves that no event of a room is missing.

import { isRoomEvent, type Chunk } from "./chunk.js";

/** Numbers of a room that came neither as events nor as skipped: `first` to `last`, both included. */
export interface Gap {
  roomId: string;
  first: number;
  last: number;
}

/**
 * Counts the events of each room from its opening on, or from the first one that it sees.
 *
 * A gap never comes from a cut, since the stream resumes exactly. A gap means that a chunk was lost between the server
 * and here: discard the room and start from `initialSync`.
 */
export class Sequences {
  readonly #next = new Map<string, number>();

  /** Takes a chunk, and returns the gaps before or within it. */
  take({ events, skipped }: Pick<Chunk, "events" | "skipped">): Gap[] {
    const gaps: Gap[] = [];
    for (const item of events) {
      if (item.__typename === "RoomOpened") this.#next.set(item.room.roomId, item.sequence);
      else if (item.__typename === "RoomClosed") this.#next.delete(item.roomId);
      else if (isRoomEvent(item)) {
        const { roomId } = item.room;
        this.#pass(skipped, roomId);
        const next = this.#next.get(roomId) ?? item.sequence;
        if (item.sequence > next) gaps.push({ roomId, first: next, last: item.sequence - 1 });
        this.#next.set(roomId, Math.max(next, item.sequence + 1));
      }
    }
    for (const { roomId, first, last } of skipped) {
      this.#pass(skipped, roomId);
      const next = this.#next.get(roomId);
      if (next === undefined || last < next) continue;
      gaps.push({ roomId, first: next, last: first - 1 });
      this.#next.set(roomId, last + 1);
    }
    return gaps;
  }

  /** Forgets all rooms: after a sync, counting starts again. */
  clear(): void {
    this.#next.clear();
  }

  /** Moves past skipped ranges. Ignores numbers below the opening of the room. */
  #pass(skipped: Chunk["skipped"], roomId: string): void {
    for (;;) {
      const next = this.#next.get(roomId);
      const range = skipped.find((it) => it.roomId === roomId && next !== undefined && it.first <= next && next <= it.last);
      if (!range) return;
      this.#next.set(roomId, range.last + 1);
    }
  }
}
