// One room: its timeline, and the events that relate to others.
//
// Invariant: of an event in the live segment all related events are here, so its row is folded from them. Of other events
// the server tells the relations; when one of them may have changed, the event is stale, and the engine asks again.

import type { Member, UserId } from "../contract.js";
import type { Item, Segment } from "./place.js";
import { indexOf, insert, isBefore, segment, spans, unite } from "./place.js";
import type { Profile, Relations, RoomRecord, StoredEvent } from "./records.js";
import { compare } from "./records.js";
import { isEqual } from "./plain.js";
import { objectOf, plainKey, redactedBy, relationOf, standsAlone, textOf } from "./relate.js";
import { fold, invalidate, isShown, redactedContent, redactionOf } from "./rows.js";
import type { WireEvent, WirePage, WireRow } from "./wire.js";

/** A loaded thread. */
export interface Thread {
  root: string;
  items: Item[];
  before: string | null;
  isStart: boolean;
  isLoading: boolean;
}

/** Most targets whose news are remembered for pages on their way. */
const NEWS_MAX = 1_000;
/** Most late events that are remembered for pages on their way. */
const MISSED_MAX = 100;

/** Where a page of the timeline belongs: next to an event; without one, before the live segment. */
export type Side = { anchor: string | null; side: "before" | "after" } | null;

export class Room {
  readonly items = new Map<string, Item>();
  segments: Segment[] = [];
  live: Segment;
  readonly threads = new Map<string, Thread>();
  members: { list: Map<UserId, Member>; total: number; isComplete: boolean; cursor: string | null } | null = null;
  /** The last message, if the live segment has none. */
  last: Item | null = null;
  /** The server says that the room has no message. */
  hasNoMessage = false;
  /** The events that the storage has, with about their bytes. */
  stored = new Map<string, number>();
  /** When the receipts of users last moved on the stream. */
  readonly movedAt = new Map<UserId, number>();
  /** When the summary became stale: answers to earlier questions do not count. */
  staleAt = 0;
  /** Relating events by their target. */
  readonly #relating = new Map<string, Set<Item>>();
  /** Redactions by their target. */
  readonly #redactions = new Map<string, Item>();
  /** Late events of the stream that fell into a gap. A page that was asked for before may close the gap without them. */
  #missed: Item[] = [];
  /** When an event last related to a target, or ceased to. */
  readonly #news = new Map<string, number>();
  /** When the last redaction of an event came that is not here. */
  #redactedAt = 0;
  names: Record<string, Profile>;
  receipts: Record<string, string>;
  /** False while the events are in the storage alone. */
  isLoaded = false;

  constructor(
    readonly record: RoomRecord,
    private readonly me: UserId,
  ) {
    this.live = segment({ before: null, after: null, isStart: false, isLive: true });
    this.segments = [this.live];
    this.names = record.names;
    this.receipts = record.receipts;
  }

  get roomId(): string {
    return this.record.roomId;
  }

  /** Puts the stored events into their segments. */
  load(events: readonly StoredEvent[]): void {
    this.isLoaded = true;
    if (this.record.last) this.last = this.#add(this.record.last, 0);
    const stored = events.map((event) => this.#add(event, 0)).sort((a, b) => compare(a.event, b.event));
    this.stored = new Map(events.map((event) => [event.eventId, bytesOf(event)]));
    for (const it of stored) it.isChanged = false;
    this.segments = this.record.segments.map(({ first, last, ...edges }) => {
      const [start, end] = [first, last].map((place) => place && { depth: place[0], sequence: place[1] });
      const within = ({ event }: Item) => !!start && !!end && compare(start, event) <= 0 && compare(event, end) <= 0;
      return segment(edges, stored.filter(within));
    });
    const live = this.segments.find(({ isLive }) => isLive);
    if (live) this.live = live;
    else this.segments.push(this.live);
    for (const it of stored) if (!it.segment && it !== this.last) this.#drop(it);
  }

  /** Forgets all segments. The next page is that of the newest events. */
  restart(): void {
    for (const item of [...this.items.values()]) if (item !== this.last) this.#drop(item);
    this.live = segment({ before: null, after: null, isStart: false, isLive: true });
    this.segments = [this.live];
    this.record.missing = undefined;
  }

  /** The relations of an event. */
  relationsOf(item: Item): Relations {
    if (!item.segment?.isLive && item.event.relations) return item.event.relations;
    return fold(item.event, this.#relating.get(item.event.eventId), this.me);
  }

  /** Whether the timeline has a row of the event. */
  isRow(item: Item): boolean {
    const { event } = item;
    return (item.isRow ??= isShown(event, event.redacted) && relationOf(event).kind !== "thread");
  }

  /** The last message of the room. */
  lastMessage(): Item | null {
    const { items } = this.live;
    for (let index = items.length - 1; index >= 0; index--) {
      const item = items[index] as Item;
      if (standsAlone(item.event) && isShown(item.event, item.event.redacted)) return item;
    }
    return this.last;
  }

  /** The last row at or before an event; the event itself if it is in no segment. */
  rowAt(eventId: string): string {
    const item = this.items.get(eventId);
    if (!item?.segment) return eventId;
    const { items } = item.segment;
    for (let index = indexOf(items, item.event); index >= 0; index--) {
      const found = items[index] as Item;
      if (this.isRow(found)) return found.event.eventId;
    }
    return eventId;
  }

  /** Whether an event comes after another one in the timeline; null if one of them is not here. */
  isAfter(eventId: string, other: string): boolean | null {
    const [a, b] = [this.items.get(eventId), this.items.get(other)];
    return a && b ? compare(a.event, b.event) > 0 : null;
  }

  /** The last event before the next row: it is read with the row. */
  endOf(eventId: string): string {
    const item = this.items.get(eventId);
    if (!item?.segment) return eventId;
    const { items } = item.segment;
    let index = indexOf(items, item.event);
    while (index + 1 < items.length && !this.isRow(items[index + 1] as Item)) index++;
    return (items[index] as Item).event.eventId;
  }

  /** Takes an event of the stream. */
  take(wire: WireEvent, tick: number): Item {
    this.#name(wire);
    const item = this.#add(storedOf(wire), tick);
    const { event } = item;
    if (!item.segment) this.#place(item, tick);
    else if (!item.segment.isLive && compare(event, this.live.items[0]?.event ?? event) >= 0) this.#reach(item.segment);
    if (!item.segment?.isLive) this.#becomeLast(item, tick);
    if (!item.segment && item !== this.last) this.#miss(item);
    this.#relate(item, tick);
    if (event.isRedacted && !event.redacted) this.#mark(item, tick);
    const redacted = redactedBy(event);
    if (redacted !== null) this.#redact(redacted, item, tick);
    const { displayname, avatar_url } = objectOf(event.content) ?? {};
    if (event.type === "m.room.member" && event.stateKey !== null) {
      this.setName(event.stateKey, [textOf(displayname), textOf(avatar_url)]);
    }
    return item;
  }

  /** Takes a page of the timeline that was asked for at `tick`. Returns how many rows are new. */
  takePage({ nodes, pageInfo }: WirePage, to: Side, tick: number): number {
    const known = new Set(nodes.map(({ eventId }) => this.items.get(eventId)).filter((item) => item?.segment));
    const items = nodes.map((wire) => this.#update(wire, tick)).sort((a, b) => compare(a.event, b.event));
    const { endCursor: after, hasNextPage } = pageInfo;
    const before = beginOf(items, pageInfo);
    const isStart = !pageInfo.hasPreviousPage && !pageInfo.hasMoreRemotely;
    const beside = to && (to.anchor === null ? this.live : (this.items.get(to.anchor)?.segment ?? null));
    const touching = new Set<Segment>();
    if (beside) touching.add(beside);
    for (const { segment } of items) if (segment) touching.add(segment);
    // Everything after the page was on the stream since, and is in the live segment.
    if (!hasNextPage && (to ? to.side === "after" : this.live.items.length === 0)) touching.add(this.live);
    const page = segment({ before, after, isStart, isLive: false });
    page.items = items;
    for (const item of items) item.segment ??= page;
    const [into = page, ...others] = touching;
    const wasLive = into.isLive;
    const moved = [...items, ...others.flatMap((it) => it.items)];
    if (items.length > 0 && into !== page) unite(into, page);
    else if (items.length > 0) this.segments.push(page);
    else if (beside && to?.side === "before") Object.assign(beside, { before: before ?? beside.before, isStart });
    else if (beside) beside.after = after ?? beside.after;
    for (const other of others) this.#unite(into, other);
    // A page that ends where the last one did knows more about what is before.
    if (beside && to?.side === "before" && into !== page && items[0] && into.items[0] === items[0]) Object.assign(into, { before, isStart });
    this.segments.sort((a, b) => (isBefore(a, b) ? -1 : 1));
    for (const item of this.#missed.filter((it) => it.staleAt > tick && spans(into, it.event))) this.#restore(item, into);
    this.#renew(into, wasLive === into.isLive ? moved : into.items);
    // The stream may have brought news of these events in the meantime.
    for (const item of items) this.#catchUp(item, tick);
    return items.filter((item) => !known.has(item) && this.isRow(item)).length;
  }

  /** Takes an event alone, with its relations, as of an answer that was asked for at `tick`. */
  takeOne(wire: WireRow, tick: number): Item {
    const item = this.#update(wire, tick);
    this.#catchUp(item, tick);
    if (item.segment?.isLive) this.#own(item);
    return item;
  }

  /** Takes a page of a thread. Returns how many messages are new. */
  takeThread(root: WireRow, page: WirePage, tick: number): number {
    this.takeOne(root, tick);
    const thread = this.threads.get(root.eventId) ?? { root: root.eventId, items: [], before: null, isStart: false, isLoading: false };
    const before = thread.items.length;
    for (const wire of page.nodes) {
      const item = this.takeOne(wire, tick);
      if (relationOf(item.event).target === root.eventId) putInto(thread, item);
    }
    // The stream may have brought more of them in the meantime.
    const [first] = thread.items;
    const missed = this.#missed.filter(({ event, staleAt }) => staleAt > tick && relationOf(event).target === root.eventId);
    for (const { event, staleAt } of missed) this.#add(event, staleAt);
    for (const item of this.#relating.get(root.eventId) ?? []) {
      const isLater = !first || compare(first.event, item.event) < 0 || !page.pageInfo.hasPreviousPage;
      if (isLater && relationOf(item.event).kind === "thread") putInto(thread, item);
    }
    thread.before = page.pageInfo.startCursor ?? thread.before;
    thread.isStart = !page.pageInfo.hasPreviousPage;
    this.threads.set(root.eventId, thread);
    return thread.items.length - before;
  }

  /** Takes the last message as the server tells it, if the live segment has none. */
  takeLast(wire: WireRow | null, tick: number): void {
    this.hasNoMessage = wire === null;
    if (!wire || this.lastMessage() !== this.last) return;
    if (this.last && compare(wire, this.last.event) < 0) return;
    this.last = this.#update(wire, tick);
    this.#catchUp(this.last, tick);
  }

  /** Whether the server has to be asked for the last message. */
  get lacksLast(): boolean {
    return this.isLoaded && !this.hasNoMessage && !this.live.isStart && this.lastMessage() === null;
  }

  /** Says that the profile of a member is this one. */
  setName(userId: UserId, profile: Profile): boolean {
    if (isEqual(this.names[userId], profile)) return false;
    this.names = { ...this.names, [userId]: profile };
    for (const item of this.items.values()) if (item.event.senderId === userId) invalidate(item);
    return true;
  }

  /** The reactions of a user to an event with a key. */
  reactionsBy(userId: UserId, target: string, key: string): StoredEvent[] {
    const related = Array.from(this.#relating.get(target) ?? [], ({ event }) => event);
    return related.filter((event) => {
      const relation = relationOf(event);
      return event.senderId === userId && relation.kind === "reaction" && plainKey(relation.key) === plainKey(key);
    });
  }

  /** The server does not show the event any more: what is known of it stays. */
  unmark(item: Item): void {
    const { isStale: _, ...event } = item.event;
    item.event = event;
    item.isChanged = true;
  }

  /** The stale events. */
  stale(): Item[] {
    return [...this.items.values()].filter(({ event }) => event.isStale);
  }

  /**
   * Takes a page of the newest events, or of those before such a page, to find events that the stream left out. Returns
   * whether that was the last page: they are here, or lie before the live segment.
   */
  takeMissing(page: WirePage, tick: number): boolean {
    const [first, last] = [this.live.items[0]?.event, this.live.items.at(-1)?.event];
    if (first && last) this.takePage(page, { anchor: last.eventId, side: "before" }, tick);
    const here = new Set(this.live.items.map(({ event }) => event.sequence));
    this.record.missing = this.record.missing?.filter((sequence) => !here.has(sequence));
    const start = page.nodes.reduce<WireEvent | undefined>((one, other) => (one && compare(one, other) < 0 ? one : other), undefined);
    const isAtStart = !first || !start || !page.pageInfo.hasPreviousPage || compare(start, first) <= 0;
    if (this.record.missing?.length && !isAtStart) return false;
    // No segment but the live one is known to be whole.
    if (this.record.missing?.length) this.trim(Infinity);
    this.record.missing = undefined;
    return true;
  }

  /** Forgets all events outside the live segment, and of that all but the last ones. */
  trim(max: number): void {
    const isBusy = this.segments.some((it) => it.isLoadingBefore || it.isLoadingAfter);
    if (isBusy || (this.segments.length === 1 && this.live.items.length <= max)) return;
    const last = this.lastMessage();
    const cut = Math.max(0, this.live.items.length - max);
    const kept = this.live.items.slice(cut);
    if (cut > 0) Object.assign(this.live, { items: kept, before: kept[0]?.event.cursor ?? null, isStart: false });
    if (last && !kept.includes(last)) {
      last.event = { ...last.event, relations: this.relationsOf(last) };
      last.segment = null;
      this.last = last;
    } else if (last && last !== this.last) this.last = null;
    this.segments = [this.live];
    this.threads.clear();
    const keep = new Set(this.last ? [...kept, this.last] : kept);
    for (const item of [...this.items.values()]) if (!keep.has(item)) this.#drop(item);
    const senders = new Set(Array.from(keep, ({ event }) => event.senderId));
    this.names = Object.fromEntries(Object.entries(this.names).filter(([userId]) => senders.has(userId)));
  }

  #drop(item: Item): void {
    this.items.delete(item.event.eventId);
    this.#unrelate(item);
    const redacted = redactedBy(item.event);
    if (redacted !== null) this.#redactions.delete(redacted);
  }

  /** Adds an event, or what is new of it. */
  #add(event: StoredEvent, tick: number): Item {
    const found = this.items.get(event.eventId);
    if (found) {
      this.#merge(found, event, tick);
      return found;
    }
    const item: Item = { event, segment: null, staleAt: 0, isChanged: true };
    this.items.set(event.eventId, item);
    const { target } = event.isRedacted ? { target: null } : relationOf(event);
    if (target !== null) {
      const relating = this.#relating.get(target);
      if (relating) relating.add(item);
      else this.#relating.set(target, new Set([item]));
      this.#touch(target);
    }
    const redacted = redactedBy(event);
    if (redacted !== null) this.#redactions.set(redacted, item);
    return item;
  }

  #merge(item: Item, event: StoredEvent, tick: number): void {
    const { event: before } = item;
    const after = { ...before };
    if (event.isRedacted && (!before.isRedacted || before.isStale)) {
      this.#unrelate(item);
      Object.assign(after, { isRedacted: true, content: event.content });
    }
    after.actionId ??= event.actionId;
    if (event.redacted) after.redacted = event.redacted;
    if (event.previous !== undefined) after.previous = event.previous;
    if (event.relations && item.staleAt <= tick) after.relations = event.relations;
    if (isEqual(before, after)) return;
    item.event = after;
    item.isChanged = true;
    invalidate(item);
  }

  /** Adds an event of an answer. */
  #update(wire: WireRow, tick: number): Item {
    if (!this.names[wire.sender.userId]) this.#name(wire);
    const item = this.#add(storedOf(wire), tick);
    const isAnswered = wire.reactions !== undefined || item.segment?.isLive;
    if (item.event.isStale && isAnswered && item.staleAt <= tick) this.unmark(item);
    return item;
  }

  /** Applies what the stream brought since `tick` to an event of an answer. */
  #catchUp(item: Item, tick: number): void {
    const { event } = item;
    const redaction = this.#redactions.get(event.eventId);
    if (redaction && !event.isRedacted) this.#redact(event.eventId, redaction, redaction.staleAt);
    // An edit goes with the event that it edits.
    const { kind, target } = relationOf(event);
    const original = kind === "edit" && target !== null ? this.#redactions.get(target) : undefined;
    if (original && this.items.get(target ?? "")?.event.senderId === event.senderId) this.#erase(item, original);
    if (item.segment?.isLive) return;
    if ((this.#news.get(event.eventId) ?? 0) > tick || this.#redactedAt > tick || (!event.relations && event.stateKey === null)) this.#mark(item, Math.max(tick + 1, item.staleAt));
  }

  /** Puts a new event of the stream into the segment to which it belongs. */
  #place(item: Item, tick: number): void {
    const first = this.live.items[0];
    const isEarlier = first && compare(item.event, first.event) < 0;
    const into = isEarlier && !this.live.isStart ? this.segments.find((it) => spans(it, item.event)) : this.live;
    if (into) insert(into, item);
    if (into?.isLive) this.#own(item);
    if (into?.isLive) this.#previous(item, tick);
    else if (into) this.#mark(item, tick);
  }

  /** The stream has come to a segment that a page brought before: all of it is live from now on. */
  #reach(other: Segment): void {
    const moved = other.items;
    this.#unite(this.live, other);
    this.#renew(this.live, moved);
  }

  /** The rows of items that came into a segment are made again. In the live one nothing depends on what the server told. */
  #renew({ isLive }: Segment, items: readonly Item[]): void {
    for (const item of items) {
      invalidate(item);
      if (isLive) this.#own(item);
    }
  }

  /** Forgets what the server told of an event's relations: it may be content that was redacted since. */
  #own(item: Item): void {
    if (!item.event.relations) return;
    const { relations: _, ...event } = item.event;
    item.event = event;
    item.isChanged = true;
  }

  #unite(into: Segment, other: Segment): void {
    if (into === other) return;
    unite(into, other);
    this.segments = this.segments.filter((it) => it !== other);
    if (other === this.live) {
      this.live = into;
      into.after = null;
    }
  }

  /** A late message before the live segment may be the last one of the room. */
  #becomeLast(item: Item, tick: number): void {
    const last = this.lastMessage();
    if (last !== this.last || item === last || !standsAlone(item.event)) return;
    if (last && compare(item.event, last.event) < 0) return;
    this.last = item;
    if (last && !last.segment) this.#drop(last);
    this.#mark(item, tick);
  }

  /** It lies in a gap. Its effect on others is applied, and it comes again with the page that has it. */
  #miss(item: Item): void {
    this.#missed = [...this.#missed, item].slice(-MISSED_MAX);
    const { kind, target } = relationOf(item.event);
    if (!(kind === "thread" && target !== null && this.threads.has(target))) this.#drop(item);
  }

  /** Puts an event where it was missed. */
  #restore({ event, staleAt }: Item, into: Segment): void {
    const item = this.#add(event, staleAt);
    if (item.segment) return;
    item.staleAt = staleAt;
    insert(into, item);
    if (into.isLive) this.#previous(item, staleAt);
    else this.#mark(item, staleAt);
    this.#catchUp(item, staleAt - 1);
  }

  /** Tells the other events that this one has come. */
  #relate(item: Item, tick: number): void {
    item.staleAt = Math.max(item.staleAt, tick);
    if (item.event.isRedacted) return;
    const { kind, target } = relationOf(item.event);
    if (target === null) return;
    this.#notice(target, tick);
    const related = this.items.get(target);
    if (related) {
      invalidate(related);
      if (!related.segment?.isLive && kind !== "other") this.#mark(related, tick);
    }
    const thread = this.threads.get(target);
    if (kind === "thread" && thread) putInto(thread, item);
  }

  #notice(target: string, tick: number): void {
    this.#news.delete(target);
    this.#news.set(target, tick);
    const [oldest] = this.#news.keys();
    if (this.#news.size > NEWS_MAX && oldest !== undefined) this.#news.delete(oldest);
  }

  #unrelate(item: Item): void {
    const { target } = relationOf(item.event);
    if (target === null) return;
    const relating = this.#relating.get(target);
    relating?.delete(item);
    if (relating?.size === 0) this.#relating.delete(target);
    const thread = this.threads.get(target);
    if (thread) thread.items = thread.items.filter((it) => it !== item);
    this.#touch(target);
  }

  #redact(eventId: string, by: Item, tick: number): void {
    const item = this.items.get(eventId);
    if (!item || item.event.isRedacted) {
      // It may have been a reaction to an event outside the live segment.
      this.#redactedAt = tick;
      for (const it of this.items.values()) if (!it.segment?.isLive && hasRelations(it.event)) this.#mark(it, tick);
    }
    if (!item) return;
    const { target } = relationOf(item.event);
    const edits = [...(this.#relating.get(eventId) ?? [])].filter(({ event }) => {
      return event.senderId === item.event.senderId && relationOf(event).kind === "edit";
    });
    for (const it of [item, ...edits]) this.#erase(it, by);
    if (!item.segment?.isLive) this.#mark(item, tick);
    this.#notice(eventId, tick);
    if (target !== null) this.#notice(target, tick);
    const related = target === null ? undefined : this.items.get(target);
    if (related && !related.segment?.isLive) this.#mark(related, tick);
    if (item.event.stateKey !== null) {
      this.#mark(item, tick);
      const next = this.#slot(item, 1);
      if (next) this.#mark(next, tick);
    }
  }

  #erase(item: Item, by: Item): void {
    if (!item.event.isRedacted) {
      this.#unrelate(item);
      item.event = { ...item.event, isRedacted: true, content: redactedContent(item.event) };
    }
    item.event = { ...item.event, redacted: redactionOf(by.event) };
    const { relations } = item.event;
    if (relations) item.event.relations = { ...relations, isEdited: false, edited: null };
    item.isChanged = true;
    invalidate(item);
  }

  #mark(item: Item, tick: number): void {
    item.event = { ...item.event, isStale: true };
    item.staleAt = tick;
    item.isChanged = true;
  }

  /** The content that a new state event replaced, if the live segment has it; otherwise the server has to tell. */
  #previous(item: Item, tick: number): void {
    const { event } = item;
    if (event.stateKey === null) return;
    const [before, next] = [this.#slot(item, -1), this.#slot(item, 1)];
    if (event.type === "m.room.create") event.previous = null;
    else if (before && !event.isLate) event.previous = before.event.content;
    else this.#mark(item, tick);
    if (next) this.#mark(next, tick);
  }

  /** The next event of the same type and state key in this direction. */
  #slot({ event, segment }: Item, step: 1 | -1): Item | undefined {
    const items = segment?.items ?? [];
    for (let index = indexOf(items, event) + step; index >= 0 && index < items.length; index += step) {
      const item = items[index] as Item;
      const { stateKey, type, isSuperseded } = item.event;
      if (stateKey === event.stateKey && type === event.type && !isSuperseded) return item;
    }
    return undefined;
  }

  #touch(eventId: string): void {
    const item = this.items.get(eventId);
    if (item) invalidate(item);
  }

  #name({ sender }: WireEvent): void {
    this.setName(sender.userId, [sender.displayName, sender.avatarUrl]);
  }
}

/**
 * Where the page before a page ends. History of other servers enters behind what is here, so an event of the same depth as
 * the first one may still come in after it: the next page has these again.
 */
function beginOf(items: readonly Item[], { startCursor, hasMoreRemotely }: WirePage["pageInfo"]): string | null {
  const [first] = items;
  const next = hasMoreRemotely && first && items.find(({ event }) => event.depth > first.event.depth);
  return next ? next.event.cursor : startCursor;
}

function hasRelations({ relations }: StoredEvent): boolean {
  return !!relations && (relations.isEdited || relations.reactions.length > 0 || relations.thread !== null);
}

function putInto(thread: Thread, item: Item): void {
  const index = indexOf(thread.items, item.event);
  if (thread.items[index] !== item) thread.items.splice(index, 0, item);
}

/** About how many bytes an event has in the storage. */
export function bytesOf(event: StoredEvent): number {
  return JSON.stringify(event).length;
}

/** The stored form of an event of an answer. */
export function storedOf(wire: WireRow): StoredEvent {
  const event: StoredEvent = {
    eventId: wire.eventId,
    sequence: wire.sequence,
    depth: wire.depth,
    cursor: wire.cursor,
    type: wire.type,
    stateKey: wire.stateKey,
    senderId: wire.sender.userId,
    sentAt: wire.sentAt,
    content: wire.content as StoredEvent["content"],
    isLate: wire.isLate,
    isRedacted: wire.isRedacted,
    actionId: wire.actionId,
  };
  if (wire.previousContent !== undefined && wire.stateKey !== null) event.previous = wire.previousContent as never;
  if (wire.isSuperseded) event.isSuperseded = true;
  const because = wire.redactedBecause;
  if (because) event.redacted = { byId: because.by.userId, reason: because.reason, redacts: because.event.redacts ?? null };
  if (wire.reactions) {
    event.relations = {
      isEdited: !!wire.latestEdit,
      edited: (wire.editedContent ?? null) as StoredEvent["content"],
      reactions: wire.reactions.nodes.map(({ users, ...reaction }) => ({
        ...reaction,
        userIds: users.nodes.map(({ userId }) => userId),
      })),
      thread: wire.thread
        ? { count: wire.thread.count, lastEventId: wire.thread.lastEvent?.eventId ?? null, isParticipant: wire.thread.isParticipant }
        : null,
    };
  }
  return event;
}
