// The views of the pages, made of the core's content.
//
// Invariant: a view, and each object in it, is the same object as before while its content is the same.

import type * as Contract from "../contract.js";
import type { ViewKey, Views } from "../contract.js";
import type { Core } from "./core.js";
import { isEqual } from "./plain.js";
import type { Item, Segment } from "./place.js";
import type { Unsent } from "./records.js";
import { objectOf, relationOf } from "./relate.js";
import type { Room } from "./room.js";
import { rowOf, isShown } from "./rows.js";

const NO_SEGMENTS: readonly Contract.Segment[] = [];
const NO_ECHOES: readonly Contract.Echo[] = [];
const NO_USERS: readonly string[] = [];
const NO_ACTIONS: readonly Contract.RemoteAction[] = [];

/** Makes views, and keeps them until their content changes. */
export class ViewCache {
  readonly #views = new Map<ViewKey, unknown>();
  readonly #outdated = new Map<ViewKey, unknown>();
  readonly #summaries = new Map<string, Contract.RoomSummary>();
  /** The rooms whose summaries are as they were made last. */
  readonly #current = new Set<Room>();
  readonly #echoes = new Map<string, Contract.Echo>();

  constructor(private readonly core: Core) {}

  /** The content of these views may have changed. */
  outdate(keys: Iterable<ViewKey>): void {
    for (const key of keys) {
      if (this.#views.has(key)) this.#outdated.set(key, this.#views.get(key));
      this.#views.delete(key);
      const room = key.startsWith("room:") && this.core.rooms.get(key.slice("room:".length));
      if (room) this.#current.delete(room);
    }
  }

  /** Forgets a view that nobody shows. */
  forget(key: ViewKey): void {
    this.#views.delete(key);
    this.#outdated.delete(key);
  }

  /** The view; `undefined` if its content is not loaded. */
  get<K extends ViewKey>(key: K): Views[K] | undefined {
    if (this.#views.has(key)) return this.#views.get(key) as Views[K];
    const made = this.#make(key);
    const before = this.#outdated.get(key);
    const view = before !== undefined && isShallowEqual(before, made) ? before : made;
    this.#outdated.delete(key);
    if (view !== undefined) this.#views.set(key, view);
    return view as Views[K] | undefined;
  }

  #make(key: ViewKey): unknown {
    const { core } = this;
    const [kind, id] = split(key);
    if (kind === "viewer") return core.meta.viewer;
    if (kind === "home") return this.#home();
    if (kind === "call") return this.#call();
    if (kind === "remoteActions") return core.meta.remoteActions ?? NO_ACTIONS;
    if (kind === "person") return this.#person(id);
    const [roomId, root] = kind === "thread" ? [id.slice(0, id.indexOf("/")), id.slice(id.indexOf("/") + 1)] : [id, ""];
    const room = core.rooms.get(roomId);
    if (kind === "room") return room ? this.#detail(room) : core.meta.position === null ? undefined : null;
    if (kind === "timeline") return this.#timeline(roomId, room);
    if (kind === "thread") return room && this.#thread(room, root);
    if (kind === "members" && room?.members) return this.#members(room);
    return undefined;
  }

  #home(): Contract.Home {
    const { meta, rooms } = this.core;
    const sorted = [...rooms.values()].sort(({ record: a }, { record: b }) => {
      return b.generation - a.generation || b.activity - a.activity;
    });
    for (const roomId of this.#summaries.keys()) if (!rooms.has(roomId)) this.#summaries.delete(roomId);
    for (const room of this.#current) if (rooms.get(room.roomId) !== room) this.#current.delete(room);
    const before = this.#outdated.get("home") as Contract.Home | undefined;
    return {
      rooms: sameList(before?.rooms, sorted.map((room) => this.#summary(room))),
      invites: meta.invites,
      isLoaded: meta.position !== null,
      isComplete: meta.position !== null && meta.next === null,
    };
  }

  /** The last message and its room are read without the rest of the timeline. */
  #summary(room: Room): Contract.RoomSummary {
    const { summary, roomId } = room.record;
    const last = room.isLoaded ? room.lastMessage() : null;
    const before = this.#summaries.get(roomId);
    if (before && this.#current.has(room)) return before;
    const made: Contract.RoomSummary = {
      roomId,
      displayName: summary.displayName,
      topic: summary.topic,
      avatarUrl: summary.avatarUrl,
      canonicalAlias: summary.canonicalAlias,
      memberCount: summary.memberCount ?? 0,
      unreadCount: summary.unreadCount,
      notificationCount: summary.notificationCount,
      highlightCount: summary.highlightCount,
      isFavourite: summary.preferences.isFavourite,
      isDirect: summary.preferences.isDirect,
      notifications: summary.preferences.notifications,
      lastMessage: last ? this.#row(room, last) : room.isLoaded ? null : (room.record.shown ?? null),
      typing: this.core.typing.get(roomId) ?? NO_USERS,
      hasCall: summary.call !== null,
      peer: summary.peer && { userId: summary.peer.userId, presence: this.core.presence.get(summary.peer.userId)?.presence ?? null },
    };
    const view = before && isShallowEqual(before, made) ? before : made;
    this.#summaries.set(roomId, view);
    this.#current.add(room);
    return view;
  }

  #detail(room: Room): Contract.RoomDetail {
    const { summary, readUpTo, draft } = room.record;
    return {
      ...this.#summary(room),
      name: summary.name,
      joinRule: summary.joinRule,
      historyVisibility: summary.historyVisibility,
      isListed: summary.isListed,
      version: summary.version,
      replacedBy: summary.replacedBy,
      predecessor: summary.predecessor,
      myPowerLevel: summary.myPowerLevel,
      can: summary.can,
      readUpTo: readUpTo ? room.rowAt(readUpTo) : null,
      receipts: room.receipts,
      draft,
    };
  }

  #timeline(roomId: string, room: Room | undefined): Contract.Timeline | undefined {
    const closed = this.core.closed.get(roomId) ?? null;
    if (!room) return closed ? { roomId, segments: NO_SEGMENTS, echoes: NO_ECHOES, closed } : undefined;
    if (!room.isLoaded) return undefined;
    const before = this.#outdated.get(`timeline:${roomId}`) as Contract.Timeline | undefined;
    const segments = sameList(before?.segments, room.segments.map((it) => this.#segment(room, it)));
    return { roomId, segments, echoes: sameList(before?.echoes, this.#echoesOf(roomId, null)), closed: null };
  }

  #segment(room: Room, segment: Segment): Contract.Segment {
    const { items, isStart, isLive, isLoadingBefore, isLoadingAfter, view } = segment;
    const rows = sameList(view?.rows, items.filter((item) => room.isRow(item)).map((item) => this.#row(room, item)));
    const made: Contract.Segment = { rows, isStart, isLive, isLoadingBefore, isLoadingAfter };
    segment.view = view && isShallowEqual(view, made) ? view : made;
    return segment.view;
  }

  #thread(room: Room, rootId: string): Contract.Timeline | undefined {
    const { roomId } = room;
    const thread = room.threads.get(rootId);
    if (!thread) return undefined;
    const root = room.items.get(rootId);
    const before = this.#outdated.get(`thread:${roomId}/${rootId}`) as Contract.Timeline | undefined;
    const shown = thread.items.filter(({ event }) => isShown(event, event.redacted));
    const rows = [...(root ? [root] : []), ...shown].map((item) => this.#row(room, item));
    const made: Contract.Segment = {
      rows: sameList(before?.segments[0]?.rows, rows),
      isStart: thread.isStart,
      isLive: true,
      isLoadingBefore: thread.isLoading,
      isLoadingAfter: false,
    };
    const [last] = before?.segments ?? [];
    const segments = sameList(before?.segments, [last && isShallowEqual(last, made) ? last : made]);
    return { roomId, segments, echoes: sameList(before?.echoes, this.#echoesOf(roomId, rootId)), closed: null };
  }

  #row(room: Room, item: Item): Contract.Row {
    return rowOf(item, { roomId: room.roomId, names: room.names, relationsOf: (it) => room.relationsOf(it) });
  }

  #echoesOf(roomId: string, root: string | null): Contract.Echo[] {
    const echoes: Contract.Echo[] = [];
    for (const unsent of this.core.unsent.values()) {
      if (unsent.roomId !== roomId || unsent.content === null) continue;
      const echo = this.echo(unsent);
      if (echo.threadRoot === root && (echo.edits === null || echo.refusal !== null)) echoes.push(echo);
    }
    return echoes;
  }

  /** The echo of an action. */
  echo(unsent: Unsent): Contract.Echo {
    const { echoId, roomId, content, refusal, createdAt, input } = unsent;
    const { replyTo, kind, target } = relationOf({ stateKey: null, content });
    const made: Contract.Echo = {
      echoId,
      roomId,
      content: objectOf(content)?.["m.new_content"] ?? content,
      type: "m.room.message",
      replyTo,
      threadRoot: kind === "thread" ? target : null,
      edits: (input.edits as string | undefined) ?? null,
      state: refusal ? "refused" : this.core.isOnline ? "sending" : "queued",
      refusal,
      createdAt,
    };
    const before = this.#echoes.get(echoId);
    const echo = before && isEqual(before, made) ? before : made;
    if (this.core.unsent.has(echoId)) this.#echoes.set(echoId, echo);
    for (const it of this.#echoes.keys()) if (!this.core.unsent.has(it)) this.#echoes.delete(it);
    return echo;
  }

  #members({ members, roomId }: Room): Contract.Members {
    const before = this.#outdated.get(`members:${roomId}`) as Contract.Members | undefined;
    const list = [...(members?.list.values() ?? [])];
    list.sort((a, b) => (a.userId < b.userId ? -1 : 1));
    return { members: sameList(before?.members, list), total: members?.total ?? 0, isComplete: members?.isComplete ?? false };
  }

  #person(userId: string): Contract.Person | null | undefined {
    const { people, presence, me, meta } = this.core;
    const own = userId === me && meta.viewer ? ([meta.viewer.displayName, meta.viewer.avatarUrl] as const) : undefined;
    const profile = own ?? people.get(userId);
    if (!profile) return profile;
    const now = presence.get(userId) ?? { presence: "OFFLINE" as const, statusMessage: null, lastActiveAt: null };
    return { userId, displayName: profile[0], avatarUrl: profile[1], ...now };
  }

  #call(): Contract.CallView | null {
    const { call } = this.core.meta;
    if (!call) return null;
    const { room, caller, callee, ...rest } = call;
    return { ...rest, roomId: room.roomId, callerId: caller.userId, calleeId: callee.userId };
  }
}

/** Kind and ID of a key. */
export function split(key: ViewKey): [kind: string, id: string] {
  const at = key.indexOf(":");
  return at < 0 ? [key, ""] : [key.slice(0, at), key.slice(at + 1)];
}

/** Whether two objects have the same fields with the same values. */
function isShallowEqual(one: unknown, other: unknown): boolean {
  if (typeof one !== "object" || typeof other !== "object" || one === null || other === null) return one === other;
  const keys = Object.keys(one);
  if (keys.length !== Object.keys(other).length) return false;
  return keys.every((key) => {
    const [a, b] = [one[key as never], other[key as never]] as [unknown, unknown];
    return a === b || (key !== "rows" && key !== "rooms" && isEqual(a, b));
  });
}

/** The list before, if it has the same elements. */
function sameList<T>(before: readonly T[] | undefined, list: readonly T[]): readonly T[] {
  return before?.length === list.length && list.every((it, index) => it === before[index]) ? before : list;
}
