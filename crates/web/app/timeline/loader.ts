// Loads pages of a timeline before the reader reaches the end of what is here.
//
// Invariant: each page is asked for once; after a failure, again when the reader asks or when the connection is back.

import { signal } from "@preact/signals";
import type { EventId, PageResult, RoomId, Store } from "rookery-client/store";
import type { Item } from "./items.js";

/** A page is loaded when this few items are left before its place. */
const AHEAD = 50;
const PAGE = 60;

type Place = Item & { kind: "older" | "gap" };

export class Loader {
  /** Keys of places whose page did not come. */
  readonly failed = signal<ReadonlySet<string>>(new Set());
  readonly running = signal<ReadonlySet<string>>(new Set());
  /** Called after each page: another one may be near. */
  loaded: () => void = () => {};
  #asked = new Set<string>();

  constructor(
    readonly store: Store,
    readonly roomId: RoomId,
    readonly thread: EventId | null,
  ) {}

  /** Loads what is missing near the visible items. */
  near(items: readonly Item[], first: number, last: number) {
    for (let index = Math.max(0, first - AHEAD); index <= Math.min(items.length - 1, last + AHEAD); index += 1) {
      const item = items[index]!;
      if (item.kind === "older" || item.kind === "gap") void this.load(item, index < first);
    }
  }

  /** Loads the page at a place. A gap is closed from the side that the reader is on. */
  async load(item: Place, isBelow: boolean, isAgain = false): Promise<void> {
    const name = item.kind === "older" ? `older:${item.eventId}` : `gap:${isBelow ? item.below : item.above}`;
    if (this.running.value.has(item.key) || (!isAgain && this.#asked.has(name))) return;
    this.#asked.add(name);
    this.running.value = new Set(this.running.value).add(item.key);
    this.#setFailed(item.key, false);
    try {
      const { added, isEnd } = await this.#page(item, isBelow);
      // Other servers have them, and did not answer.
      if (item.kind === "older" && this.thread === null && added === 0 && !isEnd) this.#setFailed(item.key, true);
    } catch {
      this.#setFailed(item.key, true);
    } finally {
      const left = new Set(this.running.value);
      left.delete(item.key);
      this.running.value = left;
      this.loaded();
    }
  }

  #page(item: Place, isBelow: boolean): Promise<PageResult> {
    const { store, roomId } = this;
    if (this.thread !== null) return store.loadThread(roomId, this.thread);
    if (item.kind === "older") return store.loadBefore(roomId, item.eventId, PAGE);
    if (isBelow && item.below !== null) return store.loadBefore(roomId, item.below, PAGE);
    return store.loadAfter(roomId, item.above, PAGE);
  }

  #setFailed(key: string, hasFailed: boolean) {
    if (this.failed.value.has(key) === hasFailed) return;
    const failed = new Set(this.failed.value);
    if (hasFailed) failed.add(key);
    else failed.delete(key);
    this.failed.value = failed;
  }

  /** The connection is back: what failed may be asked for again. */
  reconnected() {
    this.#asked.clear();
    this.failed.value = new Set();
  }
}
