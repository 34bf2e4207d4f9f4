// The rows of one timeline and the place of the reader in them: what the parts of a timeline share.

import { signal } from "@preact/signals";
import type { VNode } from "preact";
import type { EventId, RoomDetail, RoomId, Row, Store, Timeline, UserId } from "rookery-client/store";
import { type Conversation, namesOf, receiptsOf } from "../messages/conversation.js";
import { go, pathTo } from "../router.js";
import { type Item, ItemList } from "./items.js";
import { Loader } from "./loader.js";
import { Scroll } from "./scroll.js";
import { KEY } from "./viewport.js";

const keyOf = (target: EventTarget | null) => (target as Element | null)?.closest?.(`[${KEY}]`)?.getAttribute(KEY) ?? null;

export class Rows {
  readonly scroll: Scroll;
  readonly loader: Loader;
  readonly conversation: Conversation;
  /** The key of the row that Tab leads to. */
  readonly stop = signal<string | null>(null);
  /** The events of the timeline by ID. */
  readonly byId = new Map<EventId, Row>();
  /** Where the viewer had read to when the timeline was opened. */
  readUpTo: EventId | null | undefined = undefined;
  /** The first item of the segment that grows. */
  liveFrom = 0;
  #list = new ItemList();
  #lines = new WeakMap<Item, VNode>();
  #receipts = signal<ReadonlyMap<EventId, string>>(new Map());
  #taken: [Timeline | undefined, EventId | null | undefined, UserId | null] = [undefined, undefined, null];
  #shown: RoomDetail["receipts"] | null = null;
  #focus: string | null = null;
  /** Where the pointer is over the rows. */
  #pointer: [number, number] | null = null;

  constructor(
    readonly store: Store,
    readonly roomId: RoomId,
    readonly thread: EventId | null,
    render: () => void,
  ) {
    this.scroll = new Scroll(render);
    this.scroll.rested = () => this.#point(this.#pointer && document.elementFromPoint(...this.#pointer));
    this.loader = new Loader(store, roomId, thread);
    this.conversation = {
      store,
      roomId,
      thread,
      viewerId: null,
      active: signal(null),
      picking: signal(null),
      isAskingDate: signal(false),
      marked: signal(null),
      receipts: this.#receipts,
      rowOf: (eventId) => this.byId.get(eventId),
      nameOf: namesOf(store, roomId, () => this.byId.values()),
      goTo: (eventId) => void this.goTo(eventId, { isMarked: true }),
    };
  }

  /** Takes the views as of now. */
  take(timeline: Timeline | undefined, detail: RoomDetail | null, viewerId: UserId | null) {
    this.conversation.viewerId = viewerId;
    if (this.readUpTo === undefined && detail) this.readUpTo = detail.unreadCount > 0 ? detail.readUpTo : null;
    if (detail && detail.receipts !== this.#shown) {
      this.#shown = detail.receipts;
      this.#receipts.value = receiptsOf(detail.receipts, viewerId);
    }
    const [before, readUpTo, viewer] = this.#taken;
    if (!timeline || (timeline === before && readUpTo === this.readUpTo && viewer === viewerId)) return;
    this.#taken = [timeline, this.readUpTo, viewerId];
    this.byId.clear();
    for (const { rows } of timeline.segments) for (const row of rows) this.byId.set(row.eventId, row);
    const items = this.#list.build(timeline, { readUpTo: this.readUpTo ?? null, viewerId, thread: this.thread });
    const live = timeline.segments.at(-1);
    this.liveFrom = live?.isLive && live.rows[0] ? (items.index.get(live.rows[0].eventId) ?? 0) : items.items.length;
    this.scroll.take(items, this.thread !== null || live === undefined || live.isLive);
  }

  /** The rendered row of an item: the same object while the item is the same, so that it is not compared again. */
  line(item: Item, make: (item: Item) => VNode): VNode {
    let line = this.#lines.get(item);
    if (!line) this.#lines.set(item, (line = make(item)));
    return line;
  }

  /** Shows an event, and loads it if it is not here. */
  async goTo(eventId: EventId, { isMarked = false, place = 0.3, hasFocus = false } = {}): Promise<void> {
    const { scroll, store, roomId, conversation } = this;
    if (isMarked) conversation.marked.value = eventId;
    let shown = eventId;
    if (scroll.indexOfEvent(eventId) === undefined) {
      if (this.thread !== null) return go(pathTo.room(roomId, eventId));
      const nearest = await store.loadAround(roomId, { eventId }).catch(() => null);
      if (nearest === null) return;
      shown = nearest;
    }
    const row = this.byId.get(shown);
    if (row?.threadRoot && this.thread === null) return go(pathTo.thread(roomId, row.threadRoot), { replace: true });
    scroll.jump({ eventId: shown, place, hasFocus });
  }

  async goToDate(at: string): Promise<void> {
    const eventId = await this.store.loadAround(this.roomId, { at });
    if (eventId !== null) await this.goTo(eventId, { place: 0 });
  }

  /** Keeps one row that is in the page reachable by Tab. */
  keepStop(first: number, last: number) {
    const { scroll, stop } = this;
    const at = scroll.indexOf(stop.value);
    if (at !== undefined && at >= scroll.range.from && at < scroll.range.to) return;
    // Another row, so that a screen reader does not lose its place when the window moves on.
    if (this.#focus !== null && this.#focus === stop.value) (scroll.viewport?.list as HTMLElement | undefined)?.focus({ preventScroll: true });
    stop.value = scroll.items[scroll.isAtEnd ? scroll.count - 1 : Math.floor((first + last) / 2)]?.key ?? null;
  }

  focused = (event: FocusEvent) => {
    const key = keyOf(event.target);
    if (key === null) return;
    this.#focus = this.stop.value = this.conversation.active.value = key;
  };

  blurred = (event: FocusEvent) => {
    if (keyOf(event.relatedTarget) !== null) return;
    this.#focus = null;
    this.conversation.active.value = this.conversation.picking.value = null;
  };

  pointed = (event: PointerEvent) => {
    if (event.pointerType === "touch") return;
    this.#pointer = [event.clientX, event.clientY];
    // Rows that pass under a pointer that rests get no buttons.
    if (!this.scroll.isScrolling) this.#point(event.target);
  };

  #point(target: EventTarget | null) {
    const key = keyOf(target);
    if (key !== null && this.scroll.indexOf(key) !== undefined) this.conversation.active.value = key;
  }

  left = () => {
    this.#pointer = null;
    this.conversation.active.value = this.#focus;
  };
}
