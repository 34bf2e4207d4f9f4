// The timeline of one room: segments of consecutive events, with gaps between them.
//
// Invariant: an event is in at most one segment, and the events of a segment are in the order of the timeline.
// Invariant: the live segment has all events from its first one on, as far as the stream has come.

import { compare, type SegmentRecord, type StoredEvent } from "./records.js";
import type { Segment as SegmentView, Row } from "../contract.js";

/** An event in memory. */
export interface Item {
  event: StoredEvent;
  segment: Segment | null;
  /** The row, while nothing that it shows has changed. */
  row?: Row | null;
  /** Whether the timeline has a row of it, while nothing has changed. */
  isRow?: boolean | undefined;
  /** The row before a change, which is kept if the new one is equal. */
  formerRow?: Row | null;
  /** When the event became stale: answers to earlier questions do not count. */
  staleAt: number;
  /** Whether the storage has to be written. */
  isChanged: boolean;
}

/** Consecutive events. */
export interface Segment {
  items: Item[];
  before: string | null;
  after: string | null;
  isStart: boolean;
  isLive: boolean;
  isLoadingBefore: boolean;
  isLoadingAfter: boolean;
  view?: SegmentView;
}

/** Facts about a page beside its events. */
export interface Edges {
  before: string | null;
  after: string | null;
  isStart: boolean;
  isLive: boolean;
}

export function segment(edges: Edges, items: Item[] = []): Segment {
  const it: Segment = { ...edges, items, isLoadingBefore: false, isLoadingAfter: false };
  for (const item of items) item.segment = it;
  return it;
}

/** The index of the first item at or after the place. */
export function indexOf(items: readonly Item[], place: { depth: number; sequence: number }): number {
  let [low, high] = [0, items.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (compare((items[middle] as Item).event, place) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Puts an item into a segment, in its place. */
export function insert(into: Segment, item: Item): void {
  const index = indexOf(into.items, item.event);
  into.items.splice(index, 0, item);
  item.segment = into;
}

/** One segment of two that touch or overlap. It is `one`, so that requests which know it go on. */
export function unite(one: Segment, other: Segment): void {
  if (one === other) return;
  const [first, second] = isBefore(other, one) ? [other, one] : [one, other];
  const { before, isStart } = first;
  const lastOf = (it: Segment) => it.items.at(-1)?.event;
  const [end, otherEnd] = [lastOf(first), lastOf(second)];
  const last = otherEnd === undefined || (end && compare(end, otherEnd) > 0) ? first : second;
  const { after } = last;
  const seen = new Set<Item>();
  const all = [...one.items, ...other.items].filter((item) => !seen.has(item) && seen.add(item));
  all.sort((a, b) => compare(a.event, b.event));
  for (const item of all) item.segment = one;
  Object.assign(one, { items: all, before, isStart, after, isLive: one.isLive || other.isLive });
}

/** Whether a segment begins before another one. An empty segment is the live one, which is the last. */
export function isBefore(one: Segment, other: Segment): boolean {
  const [a, b] = [one.items[0], other.items[0]];
  if (!a || !b) return b === undefined && a !== undefined;
  return compare(a.event, b.event) < 0;
}

/** Whether a place lies between the first and the last event of a segment. */
export function spans({ items }: Segment, place: { depth: number; sequence: number }): boolean {
  const [first, last] = [items[0], items.at(-1)];
  return !!first && !!last && compare(first.event, place) <= 0 && compare(place, last.event) <= 0;
}

/** The stored form of a segment, without the events before `from`. */
export function recordOf({ items, before, after, isStart, isLive }: Segment, from = 0): SegmentRecord {
  const [first, last] = [items[from]?.event, items.at(-1)?.event];
  const place = (event: StoredEvent | undefined): [number, number] | null => (event ? [event.depth, event.sequence] : null);
  const cut = from > 0;
  return {
    first: place(first),
    last: place(last),
    before: cut ? (first?.cursor ?? null) : before,
    after,
    isStart: isStart && !cut,
    isLive,
  };
}
