// The window over the items of one timeline: which of them are in the page, and where the reader is.
//
// Invariant: `take` decides before rendering, `painted` corrects after it and before the browser paints.
// Invariant: the scroll position changes only by the reader, by a jump that they asked for, or together with the rows.

import type { EventId } from "rookery-client/store";
import type { Item, Items } from "./items.js";
import { KEY, Viewport } from "./viewport.js";
import { around, follow, Heights, type Range, WINDOW_ROWS } from "./window.js";

/** A jump that waits until its row is in the page. */
interface Jump {
  eventId?: EventId;
  key?: string;
  /** Where in view the row goes: 0 is the begin, 1 the end. */
  place: number;
  hasFocus?: boolean;
}

const NOTHING: Items = { items: [], index: new Map() };
/** Room for a page that is on its way, so that it comes in without a change of the scroll position. */
const SLACK = 4000;
/** The space after the rows may be wrong by this much: only the scroll bar shows it. */
const REST_ERROR = 3000;
/** A reader who has not scrolled for this long has stopped. */
const REST_MS = 250;
/** New rows at the end may lengthen the window by this many before it moves. */
const TAIL = 16;

export class Scroll {
  viewport: Viewport | null = null;
  range: Range = { from: 0, to: 0 };
  #items: Items = NOTHING;
  #heights = new Heights();
  #jump: Jump | null = null;
  isScrolling = false;
  /** Called when the reader has stopped. */
  rested: () => void = () => {};
  #resting: ReturnType<typeof setTimeout> | undefined;
  /** The space after the rows. */
  #rest = 0;
  /** The end of the list is the newest event. */
  #isLive = false;
  #observer: ResizeObserver | null = null;

  /** @param render renders the rows of `range` again, before the browser paints */
  constructor(readonly render: () => void) {}

  get items(): readonly Item[] {
    return this.#items.items;
  }

  indexOf(key: string | null): number | undefined {
    const index = key === null ? undefined : this.#items.index.get(key);
    return index !== undefined && this.items[index]?.key === key ? index : undefined;
  }

  indexOfEvent(eventId: EventId): number | undefined {
    return this.#items.index.get(eventId);
  }

  get count() {
    return this.items.length;
  }

  get isAtEnd() {
    return this.viewport?.isAtEnd ?? true;
  }

  /** The first and the last item that the reader sees. */
  get visible(): { first: number; last: number } {
    const first = this.indexOf(this.viewport?.first ?? null) ?? this.range.from;
    return { first, last: Math.max(first, this.indexOf(this.viewport?.last ?? null) ?? first) };
  }

  attach(scroller: HTMLElement, list: HTMLElement) {
    this.viewport = new Viewport(scroller, list);
    // Images, fonts, edits and a changed width alter heights without a rendering of the list.
    this.#observer = new ResizeObserver(() => this.#hold());
    this.#observer.observe(list);
    this.#observer.observe(scroller);
  }

  detach() {
    clearTimeout(this.#resting);
    this.#observer?.disconnect();
    this.viewport = null;
  }

  /** Takes the items as of now, and decides which of them are shown. */
  take(items: Items, isLive: boolean) {
    this.#isLive = isLive;
    if (items === this.#items) return;
    const before = this.#items.items;
    const { from, to } = this.range;
    // "Load more" is at the begin of the list also after a page has come in: other rows tell where the window was.
    const steady = before.slice(from, to).filter(({ kind }) => kind !== "older" && kind !== "gap");
    const [firstKey, lastKey] = [steady[0]?.key ?? null, steady.at(-1)?.key ?? null];
    const held = this.viewport?.anchorKey ?? null;
    const anchorAt = this.indexOf(held);
    this.#items = items;
    const count = items.items.length;
    if (before.length === 0) this.range = around(count - 1, count);
    else if (this.isAtEnd && isLive) this.range = this.#tail(this.indexOf(firstKey));
    else this.range = this.#same(firstKey, lastKey, held, (anchorAt ?? from) - from);
    this.#towardsJump();
  }

  /** The window at the end, which grows a little before it moves. */
  #tail(from: number | undefined): Range {
    const { count } = this;
    if (from !== undefined && count - from <= WINDOW_ROWS + TAIL && count - from >= Math.min(count, WINDOW_ROWS)) {
      return { from, to: count };
    }
    return { from: Math.max(0, count - WINDOW_ROWS), to: count };
  }

  /** The window over the same items as before. */
  #same(firstKey: string | null, lastKey: string | null, anchorKey: string | null, offset: number): Range {
    const { count } = this;
    const anchor = this.indexOf(anchorKey) ?? this.#eventOf(anchorKey);
    const from = this.indexOf(firstKey) ?? (anchor === undefined ? undefined : Math.max(0, anchor - offset));
    if (from === undefined) return around(Math.min(this.range.from + WINDOW_ROWS / 2, count - 1), count);
    const to = Math.min(count, Math.max(from + 1, (this.indexOf(lastKey) ?? from + WINDOW_ROWS - 1) + 1));
    // Pages that came in between the rows of the window would make it long.
    if (to - from > WINDOW_ROWS + 2 * TAIL) return around(anchor ?? from, count);
    const range = { from, to };
    const first = this.indexOf(this.viewport?.first ?? null);
    const last = this.indexOf(this.viewport?.last ?? null);
    return first === undefined || last === undefined ? range : follow(range, count, first, last);
  }

  /** The item that shows the event of a key, such as a group that the event has joined. */
  #eventOf(key: string | null): number | undefined {
    return key === null ? undefined : this.#items.index.get(key.replace(/^group:/, ""));
  }

  /** Jumps to an event once it is here. */
  jump(jump: Jump) {
    this.#jump = jump;
    if (this.#towardsJump()) this.render();
  }

  get isJumping() {
    return this.#jump !== null;
  }

  toEnd() {
    this.#jump = null;
    this.range = around(this.count - 1, this.count);
    if (this.viewport) this.viewport.isAtEnd = true;
    this.render();
  }

  #jumpIndex(): number | undefined {
    if (!this.#jump) return undefined;
    const { key, eventId } = this.#jump;
    return key === undefined ? this.#items.index.get(eventId!) : this.indexOf(key);
  }

  #towardsJump(): boolean {
    const index = this.#jumpIndex();
    if (index === undefined) return false;
    if (this.viewport) this.viewport.isAtEnd = false;
    const { from, to } = this.range;
    const isInside = index >= from + Math.min(from, 20) && index < to - Math.min(this.count - to, 20);
    if (!isInside) this.range = around(index, this.count);
    return true;
  }

  /** The rows of the window are in the page. */
  painted() {
    const { viewport } = this;
    if (!viewport) return;
    // Writing comes first, so that the browser computes the places of the rows once.
    const rest = this.#heights.of(this.count - this.range.to);
    if (Math.abs(rest - this.#rest) > REST_ERROR || (rest === 0) !== (this.#rest === 0)) {
      this.#rest = rest;
      viewport.list.style.paddingBottom = `${rest}px`;
    }
    for (const row of viewport.list.children) {
      const key = row.getAttribute(KEY);
      if (key !== null && !this.#heights.has(key)) this.#heights.add(key, row.getBoundingClientRect().height);
    }
    const index = this.#jumpIndex();
    const row = index === undefined ? null : this.rowAt(index);
    if (row) this.#land(row);
    else this.#hold();
    const { first, last } = viewport;
    if (row || this.indexOf(first) === undefined || this.indexOf(last) === undefined) this.#look();
  }

  /** Ends a jump at its row. */
  #land(row: HTMLElement) {
    const { place, hasFocus } = this.#jump!;
    this.#jump = null;
    this.viewport!.setSpace(this.#spaceBefore());
    this.viewport!.show(row, place);
    if (hasFocus) row.focus({ preventScroll: true });
  }

  rowAt(index: number): HTMLElement | null {
    const key = this.items[index]?.key;
    if (key === undefined || !this.viewport) return null;
    const row = this.viewport.list.children[index - this.range.from];
    if (row?.getAttribute(KEY) === key) return row as HTMLElement;
    return this.viewport.list.querySelector(`[${KEY}="${CSS.escape(key)}"]`);
  }

  get #isWhole() {
    return this.#isLive && this.range.to === this.count;
  }

  get #mayGrow() {
    return this.items.slice(0, 3).some(({ kind }) => kind === "older");
  }

  #spaceBefore(): number {
    if (this.range.from === 0) return this.#mayGrow ? SLACK : 0;
    return this.#heights.of(this.range.from) + (this.#mayGrow ? SLACK : 0);
  }

  #hold() {
    const isExact = this.range.from === 0 && !this.#mayGrow;
    const find = (key: string) => {
      const index = this.indexOf(key) ?? this.#eventOf(key);
      return index === undefined ? null : this.rowAt(index);
    };
    this.viewport?.hold({ isExact, isWhole: this.#isWhole, find });
  }

  #look() {
    this.viewport!.look(this.#isWhole);
  }

  /** The reader has scrolled. */
  scrolled() {
    const { viewport } = this;
    if (!viewport || this.#jump) return;
    this.#restSoon();
    // Rows may have changed since the last frame: they are held before another anchor is chosen.
    if (!viewport.isAtEnd) this.#hold();
    this.#look();
    if (this.#followBlank(viewport)) return;
    const { first, last } = this.visible;
    const range = follow(this.range, this.count, first, last);
    if (range === this.range) return;
    this.range = range;
    this.render();
  }

  /** The reader has scrolled beyond the rows that are in the page, as with the scroll bar. */
  #followBlank(viewport: Viewport): boolean {
    const { scroller, list, space } = viewport;
    const { scrollTop, clientHeight } = scroller;
    const isBefore = scrollTop + clientHeight < space;
    const rows = list.getBoundingClientRect().height - this.#rest;
    if (!isBefore && scrollTop <= rows) return false;
    if (isBefore && this.range.from === 0) {
      viewport.scrollTo(space);
      this.#look();
      return true;
    }
    const distance = isBefore ? scrollTop - (this.#mayGrow ? SLACK : 0) : scrollTop - rows;
    const from = isBefore ? 0 : this.range.to;
    const index = from + this.#heights.at(distance, this.count - from);
    this.jump({ key: this.items[index]?.key ?? "", place: 0 });
    return true;
  }

  /** Once the reader has stopped, the space takes the height that the missing rows have. */
  #restSoon() {
    clearTimeout(this.#resting);
    this.isScrolling = true;
    this.#resting = setTimeout(() => {
      this.isScrolling = false;
      this.rested();
      if (!this.#jump) this.viewport?.settle(this.#spaceBefore());
    }, REST_MS);
  }
}
