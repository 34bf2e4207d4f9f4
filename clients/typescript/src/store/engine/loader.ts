// Questions to the server: pages of timelines, members, and what the stream left open.
//
// Invariant: an answer is taken with the tick at which it was asked for, so that it never undoes what the stream brought since.
// Invariant: an answer is at least as new as the stream was when it was asked for (`minPosition`).

import { sleep } from "../../backoff.js";
import { RequestFailed } from "../../errors.js";
import type { EventId, PageResult, RoomId, UserId } from "../contract.js";
import type { Core } from "../core/core.js";
import type { Segment } from "../core/place.js";
import { plainKey, relationOf } from "../core/relate.js";
import type { Room, Side } from "../core/room.js";
import type { WireEvent, WireMembers, WirePage, WireRow } from "../core/wire.js";
import {
  OneEventDocument,
  OwnReactionsDocument,
  PageDocument,
  PersonDocument,
  RoomMembersDocument,
  RoomSummaryDocument,
  ThreadPageDocument,
  type PageQueryVariables,
} from "../generated.js";
import type { Server } from "./server.js";

const PAGE = 50;
const PAGE_MAX = 100;
/** Pages without any row that follow one another at most. */
const EMPTY_PAGES_MAX = 10;
/** Members that one call loads. */
const MEMBERS = 1_000;
/** Most members of a room in memory. */
const MEMBERS_MAX = 20_000;
/** Pages of own reactions that are searched for one. */
const REACTION_PAGES_MAX = 10;
/** The pause before what is still stale is asked for again; it doubles while the server answers with errors. */
const REFRESH_MS = 500;
const REFRESH_MAX_MS = 60_000;

const NOTHING: PageResult = { added: 0, isEnd: true };

/** The parts of its engine that the loader needs. */
export interface LoaderHost {
  core: Core;
  server: Server;
  loadRoom(room: Room): Promise<void>;
  /** Tells the pages what has changed, and stores it. */
  changed(): Promise<void>;
}

export class Loader {
  readonly #pages = new Map<string, Promise<PageResult>>();
  readonly #stale = new Set<RoomId>();
  #refreshing: Promise<void> | null = null;

  constructor(private readonly host: LoaderHost) {}

  /** Loads the page before or after the segment of an event, or before the live segment. */
  loadPage(roomId: RoomId, eventId: EventId | undefined, side: "before" | "after", count = PAGE): Promise<PageResult> {
    const segmentOf = (room: Room) => (eventId === undefined ? room.live : (room.items.get(eventId)?.segment ?? null));
    return this.#once(`${side} ${roomId} ${eventId ?? ""}`, roomId, async (room) => {
      const flag = side === "before" ? "isLoadingBefore" : "isLoadingAfter";
      let added = 0;
      // Other servers that do not answer now are asked again when the reader wants it.
      let isAway = false;
      for (let pages = 0; pages < EMPTY_PAGES_MAX && added === 0 && !isAway; pages++) {
        const segment = segmentOf(room);
        if (!segment || (side === "before" ? segment.isStart : segment.isLive)) return { added, isEnd: segment !== null };
        segment[flag] = true;
        this.host.core.changed(room);
        void this.host.changed();
        try {
          const page = await this.#loadBeside(room, segment, side, Math.max(1, Math.min(PAGE_MAX, count)));
          ({ added, isAway } = page);
        } finally {
          // The segment may be part of another one by now.
          for (const it of [segment, segmentOf(room)]) if (it) it[flag] = false;
          this.host.core.changed(room);
        }
        if (!this.#isCurrent(room)) return NOTHING;
      }
      const segment = segmentOf(room);
      return { added, isEnd: side === "before" ? (segment?.isStart ?? false) : (segment?.isLive ?? false) };
    });
  }

  async #loadBeside(room: Room, segment: Segment, side: "before" | "after", count: number): Promise<{ added: number; isAway: boolean }> {
    const edge = side === "before" ? segment.items[0] : segment.items.at(-1);
    const anchor = edge?.event.eventId ?? null;
    const cursor = side === "before" ? segment.before : segment.after;
    const at = cursor ?? edge?.event.cursor ?? null;
    const place = side === "before" ? { last: count, before: at } : { first: count, after: at };
    const isLive = segment.isLive;
    const { page, tick } = await this.#ask(room, { ...place, relations: !isLive, backfill: side === "before" });
    const isKnown = anchor === null ? isLive : room.items.get(anchor)?.segment;
    if (!page || !this.#isCurrent(room) || !isKnown) return { added: 0, isAway: false };
    const isAway = page.pageInfo.hasMoreRemotely === true && page.nodes.every(({ eventId }) => room.items.get(eventId)?.segment);
    return { added: this.host.core.takePage(room, page, { anchor, side }, tick), isAway };
  }

  /** Loads a segment around an event or at a time. */
  async loadAround(roomId: RoomId, place: { eventId: EventId } | { at: string }): Promise<EventId | null> {
    const room = await this.#room(roomId);
    if (!room) return null;
    if ("eventId" in place && room.items.get(place.eventId)?.segment) return room.rowAt(place.eventId);
    const half = PAGE / 2;
    const asked = "eventId" in place ? { around: place.eventId, first: half, last: half } : { at: place.at, first: PAGE, backfill: true };
    let { page, tick } = await this.#ask(room, { ...asked, relations: true });
    if (page?.nodes.length === 0 && "at" in place) ({ page, tick } = await this.#ask(room, { at: place.at, last: PAGE, relations: true }));
    if (!page || !this.#isCurrent(room)) return null;
    this.host.core.takePage(room, page, null, tick);
    await this.host.changed();
    if ("eventId" in place) return room.items.has(place.eventId) ? room.rowAt(place.eventId) : null;
    const time = Date.parse(place.at);
    const rows = page.nodes.map(({ eventId }) => room.items.get(eventId)).filter((item) => item && room.isRow(item));
    const found = rows.find((item) => item && Date.parse(item.event.sentAt) >= time) ?? rows.at(-1);
    return found?.event.eventId ?? null;
  }

  /** Loads a page of a thread: the newest messages, then those before. */
  loadThread(roomId: RoomId, root: EventId): Promise<PageResult> {
    return this.#once(`thread ${roomId} ${root}`, roomId, async (room) => {
      const { core, server } = this.host;
      const thread = room.threads.get(root);
      if (thread?.isStart) return NOTHING;
      const tick = core.tick;
      const variables = { eventId: root, minPosition: core.meta.position, last: PAGE, before: thread?.before ?? null };
      const { event } = await server.ask(ThreadPageDocument, variables);
      if (!event || !this.#isCurrent(room)) return NOTHING;
      const none: WirePage = { nodes: [], pageInfo: { hasPreviousPage: false, hasNextPage: false, startCursor: null, endCursor: null } };
      const added = core.takeThread(room, event as WireRow, (event.messages?.messages as WirePage | undefined) ?? none, tick);
      return { added, isEnd: room.threads.get(root)?.isStart ?? true };
    });
  }

  /** Loads the members of a room: the first ones, or those after the ones that are here. */
  async loadMembers(roomId: RoomId, isMore = false): Promise<void> {
    await this.#once(`members ${roomId}`, roomId, async (room) => {
      const { core, server } = this.host;
      const known = isMore ? room.members : null;
      if (known && (known.isComplete || known.list.size >= MEMBERS_MAX)) return NOTHING;
      let after = known?.cursor ?? null;
      for (let count = 0; count < MEMBERS && this.#isCurrent(room); ) {
        const variables = { roomId, after, minPosition: core.meta.position };
        const found = await server.ask(RoomMembersDocument, variables);
        if (!found.room) break;
        const members: WireMembers = found.room.members;
        core.takeMembers(room, members, after === null);
        await this.host.changed();
        count += members.nodes.length;
        after = members.pageInfo.endCursor;
        if (!members.pageInfo.hasNextPage) break;
      }
      return NOTHING;
    });
  }

  async loadPerson(userId: UserId): Promise<void> {
    const { core, server } = this.host;
    const { user } = await server.ask(PersonDocument, { userId });
    core.setPerson(userId, user && [user.displayName, user.avatarUrl]);
    if (user?.presence && !core.presence.has(userId)) core.setPresence(userId, user.presence);
    await this.host.changed();
  }

  /** The own reactions to an event with this key. */
  async ownReactions(roomId: RoomId, eventId: EventId, key: string): Promise<EventId[]> {
    const { core, server } = this.host;
    const room = await this.#room(roomId);
    const known = room?.reactionsBy(core.me, eventId, key) ?? [];
    if (known.length > 0) return known.map((event) => event.eventId);
    let after = room?.items.get(eventId)?.event.cursor ?? null;
    for (let pages = 0; pages < REACTION_PAGES_MAX; pages++) {
      const { room: found } = await server.ask(OwnReactionsDocument, { roomId, after, me: core.me });
      const fits = (event: WireEvent) => {
        const relation = relationOf({ stateKey: null, content: event.content as never });
        return relation.target === eventId && relation.kind === "reaction" && plainKey(relation.key) === plainKey(key);
      };
      const event = found?.timeline.nodes.find(fits);
      if (event) return [event.eventId];
      if (!found?.timeline.pageInfo.hasNextPage) break;
      after = found.timeline.pageInfo.endCursor;
    }
    return [];
  }

  /** Asks again for what is stale in a room. */
  refresh(room: Room): void {
    if (!this.#isStale(room)) return;
    this.#stale.add(room.roomId);
    this.#refreshing ??= this.#refreshAll().finally(() => (this.#refreshing = null));
  }

  #isStale(room: Room): boolean {
    return room.record.isStale || (room.isLoaded && (room.record.missing !== undefined || room.stale().length > 0));
  }

  /** Resolves when nothing is stale. */
  async settled(): Promise<void> {
    while (this.#refreshing) await this.#refreshing;
  }

  async #refreshAll(): Promise<void> {
    const { core, server } = this.host;
    for (let waitMs = REFRESH_MS; this.#stale.size > 0 && !server.signal.aborted; ) {
      let isFailed = false;
      const rooms = [...this.#stale];
      this.#stale.clear();
      for (const roomId of rooms) {
        const room = core.rooms.get(roomId);
        if (room) await this.#refreshRoom(room).catch(() => (isFailed = true));
      }
      for (const roomId of rooms) {
        const room = core.rooms.get(roomId);
        if (room && this.#isStale(room)) this.#stale.add(roomId);
      }
      waitMs = isFailed ? Math.min(REFRESH_MAX_MS, waitMs * 2) : REFRESH_MS;
      if (this.#stale.size > 0) await sleep(waitMs, server.signal);
    }
  }

  async #refreshRoom(room: Room): Promise<void> {
    const { core, server } = this.host;
    const { roomId, record } = room;
    const minPosition = core.meta.position;
    if (record.isStale) {
      const tick = core.tick;
      const found = await server.ask(RoomSummaryDocument, { roomId, me: core.me, minPosition });
      if (this.#isCurrent(room)) core.takeSummary(room, found.room, tick);
    }
    if (room.isLoaded && room.record.missing) await this.#findMissing(room);
    for (const item of room.isLoaded ? room.stale() : []) {
      const tick = core.tick;
      const { event } = await server.ask(OneEventDocument, { eventId: item.event.eventId, minPosition: core.meta.position });
      if (!this.#isCurrent(room)) return;
      if (event) core.takeOne(room, event as WireRow, tick);
      else room.unmark(item);
    }
    await this.host.changed();
  }

  /** Looks for events that the stream left out, from the end of the timeline on. */
  async #findMissing(room: Room): Promise<void> {
    for (let before: string | null = null; ; ) {
      const { page, tick } = await this.#ask(room, { last: PAGE_MAX, before, relations: false });
      if (!page || !this.#isCurrent(room)) return;
      if (this.host.core.takeMissing(room, page, tick)) return;
      before = page.pageInfo.startCursor;
    }
  }

  async #ask(
    room: Room,
    variables: Omit<PageQueryVariables, "roomId" | "minPosition">,
  ): Promise<{ page: WirePage | null; tick: number }> {
    const { core, server } = this.host;
    const tick = core.tick;
    const asked = { ...variables, roomId: room.roomId, minPosition: core.meta.position };
    try {
      const { room: found } = await server.ask(PageDocument, asked);
      return { page: (found?.timeline as WirePage | undefined) ?? null, tick };
    } catch (error) {
      // There is no such event, or the viewer may not see it.
      if (error instanceof RequestFailed && error.code === "BAD_USER_INPUT") return { page: null, tick };
      throw error;
    }
  }

  /** Runs one request of a name at a time. */
  async #once(name: string, roomId: RoomId, load: (room: Room) => Promise<PageResult>): Promise<PageResult> {
    const running = this.#pages.get(name);
    if (running) return running;
    const run = async () => {
      try {
        const room = await this.#room(roomId);
        return room ? await load(room) : NOTHING;
      } finally {
        this.#pages.delete(name);
        await this.host.changed();
      }
    };
    const page = run();
    this.#pages.set(name, page);
    return page;
  }

  async #room(roomId: RoomId): Promise<Room | undefined> {
    const room = this.host.core.rooms.get(roomId);
    if (room) await this.host.loadRoom(room);
    return room;
  }

  #isCurrent(room: Room): boolean {
    return this.host.core.rooms.get(room.roomId) === room;
  }
}

export type { Side };
