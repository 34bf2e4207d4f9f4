// The items of a timeline: rows, day separators, lines of changes, gaps and echoes, in one flat list.
//
// Invariant: an item is the same object as long as its rows are the same objects, so that unchanged rows are not rendered.
// Invariant: the key of an item stays while pages come in before and after it.

import type { Echo, EventId, Row, Segment, Timeline } from "rookery-client/store";
import { callOf, isChange, isShown } from "./changes.js";

export type Item =
  | { kind: "message"; key: string; row: Row; isContinued: boolean }
  /** `isMissed`: the event ended a call that nobody had answered. */
  | { kind: "change"; key: string; row: Row; isMissed: boolean }
  | { kind: "group"; key: string; rows: readonly Row[] }
  | { kind: "day"; key: string; at: string }
  | { kind: "unread"; key: string }
  | { kind: "start"; key: string }
  | { kind: "older"; key: string; eventId: EventId; isLoading: boolean }
  | { kind: "gap"; key: string; above: EventId; below: EventId | null; isLoading: boolean }
  | { kind: "echo"; key: string; echo: Echo };

export interface Items {
  items: readonly Item[];
  /** Where each event is shown, the hidden ones at the item before them; and where the item of each key is. */
  index: ReadonlyMap<string, number>;
}

/** Messages of one sender within this time are shown under one name. */
const CONTINUED_MS = 5 * 60_000;
/** Fewer membership changes in a row are shown one by one. */
const GROUP_MIN = 4;

export interface ItemOptions {
  /** The event up to which the viewer had read when the room was opened. */
  readUpTo?: EventId | null;
  viewerId?: string | null;
  /** The root of the thread that is shown; without it, the room. */
  thread?: EventId | null;
}

/** Makes items, and reuses those of the last call. */
export class ItemList {
  #known: Items = { items: [], index: new Map() };

  build(timeline: Timeline, options: ItemOptions = {}): Items {
    const builder = new Builder(this.#known, options);
    timeline.segments.forEach((segment, at) => builder.segment(segment, timeline.segments[at + 1] ?? null, at === 0));
    for (const echo of timeline.echoes) builder.echo(echo);
    this.#known = { items: builder.items, index: builder.index };
    return this.#known;
  }
}

interface Moment {
  at: number;
  day: string;
}

/** Times of rows: reading them takes longer than all the rest, and a timeline may have thousands of rows. */
const moments = new WeakMap<Row, Moment>();

function momentOf(row: Row): Moment {
  let moment = moments.get(row);
  if (!moment) moments.set(row, (moment = { at: Date.parse(row.sentAt), day: dayOf(row.sentAt) }));
  return moment;
}

class Builder {
  readonly items: Item[] = [];
  readonly index = new Map<string, number>();
  readonly #known: Items;
  readonly #options: ItemOptions;
  #day = "";
  /** The sender of the last message, if the next one may continue it. */
  #sender: string | null = null;
  #sentAt = 0;
  #changes: Row[] = [];
  /** Whether each call whose begin is here was answered. */
  #calls = new Map<string, boolean>();
  #isUnread = false;
  #hasUnreadLine = false;

  constructor(known: Items, options: ItemOptions) {
    this.#known = known;
    this.#options = options;
  }

  segment(segment: Segment, next: Segment | null, isFirst: boolean) {
    const { thread } = this.#options;
    // A thread begins with its root, whatever of it is here.
    const hasRoot = thread != null && segment.rows[0]?.eventId === thread;
    const rows = hasRoot ? segment.rows.slice(1) : segment.rows;
    const [first, last] = [rows[0], rows.at(-1)];
    if (hasRoot) this.#row(segment.rows[0]!);
    if (isFirst && first !== undefined) {
      if (!segment.isStart) this.#push({ kind: "older", key: "older", eventId: first.eventId, isLoading: segment.isLoadingBefore });
      else if (!thread) this.#push({ kind: "start", key: "start" });
    }
    for (const row of rows) this.#row(row);
    this.#flush();
    const isEnd = next === null && segment.isLive;
    if (last === undefined || isEnd || thread) return;
    const below = next?.rows[0]?.eventId ?? null;
    const isLoading = segment.isLoadingAfter || next?.isLoadingBefore === true;
    // The key is that of the side that does not move while the other one is loaded.
    this.#push({ kind: "gap", key: `gap:${below ?? "end"}`, above: last.eventId, below, isLoading });
    this.#sender = null;
  }

  echo(echo: Echo) {
    this.#push({ kind: "echo", key: echo.echoId, echo });
  }

  #row(row: Row) {
    const call = callOf(row);
    if (call !== null && row.type === "m.call.invite") this.#calls.set(call, false);
    if (call !== null && row.type === "m.call.answer") this.#calls.set(call, true);
    if (isShown(row, this.#options.thread ?? null)) {
      this.#separate(row);
      if (isChange(row)) this.#change(row);
      else this.#message(row);
    }
    this.index.set(row.eventId, Math.max(0, this.items.length - 1 + (this.#changes.length > 0 ? 1 : 0)));
    if (row.eventId === this.#options.readUpTo) this.#isUnread = true;
  }

  /** Separators before the row: a new day, and what is not read. */
  #separate(row: Row) {
    const { day } = momentOf(row);
    if (day !== this.#day) {
      this.#flush();
      this.#day = day;
      this.#push({ kind: "day", key: this.#unique(`day:${day}`), at: row.sentAt });
      this.#sender = null;
    }
    if (this.#isUnread && !this.#hasUnreadLine && row.senderId !== this.#options.viewerId) {
      this.#flush();
      this.#hasUnreadLine = true;
      this.#push({ kind: "unread", key: "unread" });
      this.#sender = null;
    }
  }

  #message(row: Row) {
    this.#flush();
    const { at } = momentOf(row);
    const isNear = this.#sender === row.senderId && Math.abs(at - this.#sentAt) < CONTINUED_MS && row.replyTo === null;
    // A row that has a head keeps it when a page comes in before it: without it, the rows below would move.
    const known = this.#before(row.eventId);
    const isContinued = isNear && !(known?.kind === "message" && !known.isContinued);
    this.#sender = row.senderId;
    this.#sentAt = at;
    if (known?.kind === "message" && known.row === row && known.isContinued === isContinued) this.#take(known);
    else this.#take({ kind: "message", key: row.eventId, row, isContinued });
  }

  #change(row: Row) {
    this.#sender = null;
    if (row.type !== "m.room.member") {
      this.#flush();
      const isMissed = row.type === "m.call.hangup" && this.#calls.get(callOf(row) ?? "") === false;
      this.#push({ kind: "change", key: row.eventId, row, isMissed });
    } else {
      this.#changes.push(row);
    }
  }

  /** Shows the membership changes that came in a row. */
  #flush() {
    const rows = this.#changes;
    if (rows.length === 0) return;
    this.#changes = [];
    if (rows.length < GROUP_MIN) {
      for (const row of rows) {
        this.#push({ kind: "change", key: row.eventId, row, isMissed: false });
        this.index.set(row.eventId, this.items.length - 1);
      }
      return;
    }
    // Pages that come in extend a group at its begin more often than at its end.
    this.#push({ kind: "group", key: `group:${rows.at(-1)!.eventId}`, rows });
    for (const row of rows) this.index.set(row.eventId, this.items.length - 1);
  }

  #unique(key: string) {
    let unique = key;
    for (let at = 2; this.index.has(unique); at += 1) unique = `${key}:${at}`;
    return unique;
  }

  /** The item of that key in the last list. */
  #before(key: string): Item | undefined {
    const item = this.#known.items[this.#known.index.get(key) ?? -1];
    return item?.key === key ? item : undefined;
  }

  #push(item: Item) {
    const known = this.#before(item.key);
    this.#take(known !== undefined && isSame(known, item) ? known : item);
  }

  #take(item: Item) {
    this.index.set(item.key, this.items.length);
    this.items.push(item);
  }
}

function isSame(left: Item, right: Item): boolean {
  for (const [name, value] of Object.entries(right)) {
    const other = (left as unknown as Record<string, unknown>)[name];
    if (other === value) continue;
    if (!Array.isArray(value) || !Array.isArray(other) || value.length !== other.length) return false;
    if (value.some((each, at) => each !== other[at])) return false;
  }
  return true;
}

/** The day of a time where the reader is. */
export function dayOf(time: string): string {
  const date = new Date(time);
  return `${date.getFullYear()}-${date.getMonth() + 1}-${date.getDate()}`;
}
