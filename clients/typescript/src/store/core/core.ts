// Everything that a device knows, folded from answers and from the stream.
//
// Invariant: no method waits, reads a clock or does I/O. The same calls give the same store.
// Invariant: each change is in the next commit, together with the position of the chunk that made it.

import type { Json, Member, RemoteAction, RoomId, Signal, UserId, ViewKey, Wire } from "../contract.js";
import type { CallFieldsFragment, InviteFieldsFragment, SummaryFragment } from "../generated.js";
import { isEqual } from "./plain.js";
import { emptyMeta, VERSION, type Meta, type Profile, type RoomRecord, type Unsent } from "./records.js";
import { objectOf, textOf } from "./relate.js";
import { Room, type Side } from "./room.js";
import type { Stored } from "../storage/storage.js";
import type { WireChunk, WireEvent, WireHome, WireItem, WireMembers, WirePage, WirePresence, WireRow, WireSnapshot, WireViewer } from "./wire.js";

/** Most users outside rooms whose profile and presence are in memory. */
const PEOPLE_MAX = 5_000;

/** As many receipts come with a room. */
const RECEIPTS = 20;

/** Most remembered commands: a page repeats those to which it has no answer. */
const COMMANDS_MAX = 2_000;

/** Most actions of other servers that are remembered. */
const REMOTE_ACTIONS_MAX = 40;

/** Most events of a room that the stream left out and that are looked for. */
const MISSING_MAX = 100;

/** The work of the engine after a chunk. */
export interface Consequences {
  signals: Signal[];
}

export class Core {
  meta: Meta;
  readonly rooms = new Map<RoomId, Room>();
  /** By echo, in the order of the numbers. */
  readonly unsent = new Map<string, Unsent>();
  /** The numbers of the last commands, by the name that a page gave each, in the order of the numbers. */
  readonly commands = new Map<string, number>();
  readonly typing = new Map<RoomId, UserId[]>();
  readonly people = new Map<UserId, Profile | null>();
  readonly presence = new Map<UserId, WirePresence>();
  readonly closed = new Map<RoomId, { reason: Wire.ClosingReason; byId: UserId | null }>();
  /** The actions that wait for the answer of this server, with how they ended elsewhere if the stream told that first. */
  readonly #asked = new Map<number, RemoteAction | null>();
  /** Those of which this server told the end with its answer. The stream tells it again. */
  readonly #answered = new Set<number>();
  isOnline = false;
  /** Grows with each chunk: it orders questions and news. */
  tick = 1;
  /** The views that may have changed. */
  readonly touched = new Set<ViewKey>();
  /** The records that the storage does not have yet. */
  readonly unsaved = { meta: false, rooms: new Set<RoomId>(), cleared: new Set<RoomId>(), unsent: new Set<string>(), commands: new Set<string>() };

  constructor(
    readonly me: UserId,
    stored: Stored,
  ) {
    const isFit = stored.meta?.version === VERSION;
    this.meta = isFit && stored.meta ? stored.meta : emptyMeta();
    for (const record of stored.rooms) {
      if (isFit) this.rooms.set(record.roomId, new Room(record, me));
      else this.#forget(record.roomId);
    }
    for (const [name, actionId] of [...stored.commands].sort(([, a], [, b]) => a - b)) this.commands.set(name, actionId);
    for (const it of [...stored.unsent].sort((a, b) => a.actionId - b.actionId)) this.unsent.set(it.echoId, it);
  }

  /** Takes a page of the first screen; `isFirst` for the page that begins it. */
  takeHome({ viewer, initialSync: { rooms, invites, next, position } }: WireHome, isFirst: boolean): void {
    if (isFirst) {
      Object.assign(this.meta, { generation: this.meta.generation + 1, activity: 0, invites: [], isOutdated: false });
      // Their ends may have been on a part of the stream that is not read. A refusal that comes later is shown all the same.
      this.#setRemoteActions(this.#remoteActions.filter(({ refusal }) => refusal !== null));
      for (const it of [...this.unsent.values()]) if (it.eventId !== null) this.settle(it.echoId);
    }
    if (viewer) this.takeViewer(viewer);
    const { generation } = this.meta;
    let listed = [...this.rooms.values()].filter(({ record }) => record.generation === generation).length;
    for (const snapshot of rooms) this.#open(snapshot, -++listed, null);
    this.meta.invites = [...this.meta.invites, ...invites.map(inviteOf)];
    this.meta.next = next;
    this.meta.position = position;
    if (next === null) {
      for (const [roomId, { record }] of this.rooms) if (record.generation !== generation) this.#forget(roomId);
    }
    this.unsaved.meta = true;
    this.touch("home");
  }

  takeViewer({ user, device, isAdmin, ignoredUsers, call }: WireViewer): void {
    const ignored = ignoredUsers.nodes.map(({ userId }) => userId);
    const viewer = { ...user, deviceId: device.deviceId, isAdmin, ignored };
    this.#takeCall(call);
    if (this.meta.lastActionId === null || this.meta.lastActionId < device.lastActionId) {
      this.meta.lastActionId = device.lastActionId;
      this.unsaved.meta = true;
    }
    if (isEqual(viewer, this.meta.viewer)) return;
    this.meta.viewer = viewer;
    this.unsaved.meta = true;
    this.touch("viewer");
  }

  /** Says that the first screen has to be read again. */
  outdate(): void {
    this.meta.isOutdated = true;
    this.unsaved.meta = true;
  }

  /** The rooms of which a chunk has events. */
  roomsOf({ events }: Pick<WireChunk, "events">): Set<RoomId> {
    const rooms = new Set<RoomId>();
    for (const item of events as WireItem[]) {
      const room = item.room as { roomId: RoomId } | undefined;
      if (room) rooms.add(room.roomId);
    }
    return rooms;
  }

  /** Takes a chunk. The rooms of its events are loaded. */
  takeChunk({ events, skipped, ephemeral, counts, position, isFirst }: WireChunk): Consequences {
    this.tick++;
    const done: Consequences = { signals: [] };
    for (const part of skipped) this.#skip(part);
    for (const item of events as WireItem[]) this.#takeItem(item);
    for (const { room, ...count } of counts) this.#summarise(room.roomId, count);
    if (isFirst) this.#forgetPresent();
    for (const item of ephemeral as WireItem[]) this.#takeEphemeral(item, done);
    this.meta.position = position;
    this.unsaved.meta = true;
    return done;
  }

  #skip({ roomId, first, last, reason }: WireChunk["skipped"][number]): void {
    const room = this.rooms.get(roomId);
    if (room && reason === "SUPERSEDED") {
      const sequences = Array.from({ length: Math.min(MISSING_MAX, last - first + 1) }, (_, index) => first + index);
      room.record.missing = [...(room.record.missing ?? []), ...sequences].slice(-MISSING_MAX);
    }
    // Hidden events and fetched history do not move the room in the list.
    if (reason !== "HIDDEN" && reason !== "PAST") this.#activate(room);
  }

  /** Takes a page to find events that the stream left out; see {@link Room.takeMissing}. */
  takeMissing(room: Room, page: WirePage, tick: number): boolean {
    const isLast = room.takeMissing(page, tick);
    this.changed(room);
    return isLast;
  }

  #takeItem(item: WireItem): void {
    const room = item.room as SummaryFragment | undefined;
    const user = item.user as { userId: UserId; displayName: string | null; avatarUrl: string | null } | undefined;
    const of = room && this.rooms.get(room.roomId);
    switch (item.__typename) {
      case "RoomOpened":
        this.#open(item.room as WireSnapshot, ++this.meta.activity, item.cursor as string);
        return this.#uninvite((item.room as WireSnapshot).roomId);
      case "RoomClosed":
        return this.#close(item as never);
      case "Invited":
        this.#uninvite((item.room as InviteFieldsFragment).roomId);
        this.meta.invites = [inviteOf(item.room as InviteFieldsFragment), ...this.meta.invites];
        return;
      case "ProfileChanged":
        if (user) this.setPerson(user.userId, [user.displayName, user.avatarUrl]);
        return;
      case "ReceiptMoved":
        if (of) this.#receipt(of, item.userId as string, item.eventId as string);
        return;
      case "RoomPreferencesChanged":
        if (room) this.#summarise(room.roomId, { preferences: room.preferences });
        return;
      case "IgnoredUsersChanged":
        // Events of these users appear or disappear everywhere.
        this.outdate();
        return;
      case "CallChanged": {
        const call = item.call as CallFieldsFragment;
        this.#summarise(call.room.roomId, { call: call.state === "ENDED" ? null : { callId: call.callId } });
        return this.#takeCall(call);
      }
      case "RemoteActionEnded":
        return this.#takeEnd(item);
      case "StateResolved":
        if (of) this.#takeState(of, item.type as string, item.stateKey as string, (item.event as WireEvent | null)?.content);
        return;
      default:
        if (of && item.eventId !== undefined) this.#takeEvent(of, item as never);
    }
  }

  #takeEvent(room: Room, event: WireEvent): void {
    const { record } = room;
    room.take(event, this.tick);
    record.sequence = Math.max(record.sequence, event.sequence);
    this.#activate(room);
    if (event.stateKey !== null) this.#takeState(room, event.type, event.stateKey, event.content);
    else if (event.type.startsWith("m.call.")) this.#staleSummary(room);
    if (event.actionId !== null) this.#arrived(event.actionId, record.roomId);
    this.changed(room);
  }

  #takeState(room: Room, type: string, stateKey: string, content: unknown): void {
    this.#staleSummary(room);
    if (type !== "m.room.member") return;
    const { members, roomId } = room;
    const { membership, displayname, avatar_url } = objectOf(content as Json) ?? {};
    const profile = { displayName: textOf(displayname), avatarUrl: textOf(avatar_url) };
    // The stream tells profiles of others by their memberships alone.
    const isJoined = membership === "join";
    if (isJoined && stateKey !== this.me && this.people.has(stateKey)) this.setPerson(stateKey, [profile.displayName, profile.avatarUrl]);
    if (!members) return;
    const before = members.list.get(stateKey);
    if (isJoined) {
      const member: Member = { userId: stateKey, ...profile, membership: "JOIN", powerLevel: before?.powerLevel ?? null };
      members.list.set(stateKey, member);
      if (!before) members.total++;
    } else if (members.list.delete(stateKey)) members.total--;
    this.touch(`members:${roomId}`);
  }

  #staleSummary(room: Room): void {
    room.record.isStale = true;
    room.staleAt = this.tick;
    this.unsaved.rooms.add(room.roomId);
  }

  #activate(room: Room | undefined): void {
    if (!room) return;
    room.record.activity = ++this.meta.activity;
    this.#recordChanged(room);
  }

  #receipt({ record, ...room }: Room, userId: UserId, eventId: string): void {
    const it = this.rooms.get(record.roomId);
    if (!it) return;
    it.movedAt.set(userId, this.tick);
    if (userId === this.me) record.readUpTo = eventId;
    else it.receipts = { ...room.receipts, [userId]: eventId };
    this.#recordChanged(it);
  }

  #summarise(roomId: RoomId, change: Partial<SummaryFragment>): void {
    const room = this.rooms.get(roomId);
    if (!room) return;
    room.record.summary = { ...room.record.summary, ...change };
    this.#recordChanged(room);
  }

  get #remoteActions(): readonly RemoteAction[] {
    return this.meta.remoteActions ?? [];
  }

  #setRemoteActions(actions: readonly RemoteAction[]): void {
    if (isEqual(actions, this.#remoteActions)) return;
    this.meta.remoteActions = actions.slice(-REMOTE_ACTIONS_MAX);
    this.unsaved.meta = true;
    this.touch("remoteActions");
  }

  /** An action that other servers may have to answer is sent. The stream may tell its end before the answer comes. */
  startRun(actionId: number): void {
    this.#asked.set(actionId, null);
  }

  /** The answer to an action is here. `pending` if other servers have to answer it. */
  endRun(actionId: number, pending: RemoteAction | null): void {
    const ended = this.#asked.get(actionId);
    this.#asked.delete(actionId);
    if (pending) return this.#setRemoteAction(ended ?? pending, !!ended);
    if (ended) return;
    this.#answered.add(actionId);
    const [oldest] = this.#answered;
    if (this.#answered.size > REMOTE_ACTIONS_MAX && oldest !== undefined) this.#answered.delete(oldest);
  }

  /** Forgets how an action of other servers ended. */
  dismiss(id: string): void {
    this.#setRemoteActions(this.#remoteActions.filter((it) => it.id !== id || it.refusal === null));
  }

  /** A refusal is shown until the user dismisses it, also that of an action whose page is gone. */
  #takeEnd({ endedId, actionKind, targetRoomId, targetAlias, targetUserId, refusal }: WireItem): void {
    // It was an action of another device.
    if (typeof endedId !== "number") return;
    const target = { roomId: targetRoomId, alias: targetAlias, userId: targetUserId };
    const ended = remoteAction({ actionId: endedId, kind: actionKind, ...target, refusal } as Omit<RemoteAction, "id">);
    if (this.#answered.delete(endedId)) return;
    if (this.#asked.has(endedId)) this.#asked.set(endedId, ended);
    else this.#setRemoteAction(ended, true);
  }

  #setRemoteAction(action: RemoteAction, hasEnded: boolean): void {
    const others = this.#remoteActions.filter(({ id }) => id !== action.id);
    this.#setRemoteActions(hasEnded && !action.refusal ? others : [...others, action]);
  }

  #takeCall(call: CallFieldsFragment | null): void {
    if (isEqual(call, this.meta.call)) return;
    this.meta.call = call;
    this.unsaved.meta = true;
    this.touch("call");
  }

  #takeEphemeral(item: WireItem, done: Consequences): void {
    if (item.__typename === "TypingChanged") {
      const { roomId } = item.room as { roomId: RoomId };
      const users = (item.users as { nodes: { userId: UserId }[] }).nodes.map(({ userId }) => userId);
      const others = users.filter((userId) => userId !== this.me);
      if (others.length > 0) this.typing.set(roomId, others);
      else this.typing.delete(roomId);
      this.touch("home", `room:${roomId}`);
    } else if (item.__typename === "PresenceChanged") {
      const { userId, presence, statusMessage, lastActiveAt } = item as never as WirePresence & { userId: UserId };
      this.setPresence(userId, { presence, statusMessage, lastActiveAt });
    } else if (item.__typename === "CallSignal") {
      const { callId, number, kind, sender, partyId, sdp, candidates } = item as never as Signal & { sender: { userId: UserId } };
      done.signals.push({ callId, number, kind, senderId: sender.userId, partyId, sdp, candidates });
    }
  }

  /** Typing and presence are those of the connection: the first chunk of the next one has them again. */
  #forgetPresent(): void {
    for (const roomId of this.typing.keys()) this.touch("home", `room:${roomId}`);
    for (const userId of this.presence.keys()) this.#touchPerson(userId);
    this.typing.clear();
    this.presence.clear();
  }

  setPresence(userId: UserId, presence: WirePresence | null): void {
    if (presence) this.presence.set(userId, presence);
    this.#touchPerson(userId);
  }

  /** The presence of a user is shown with the user, and with the conversation of two. */
  #touchPerson(userId: UserId): void {
    this.touch(`person:${userId}`);
    for (const { record } of this.rooms.values()) {
      if (record.summary.peer?.userId === userId) this.touch("home", `room:${record.roomId}`);
    }
  }

  /** The profile of a user; null if there is no such user. */
  setPerson(userId: UserId, profile: Profile | null): void {
    if (this.people.size >= PEOPLE_MAX) this.people.clear();
    this.people.set(userId, profile);
    this.touch(`person:${userId}`);
    const { viewer } = this.meta;
    if (userId !== this.me || !viewer || !profile) return;
    this.meta.viewer = { ...viewer, displayName: profile[0], avatarUrl: profile[1] };
    this.unsaved.meta = true;
    this.touch("viewer");
  }

  /** Opens a room, in place of what is known of it. `cursor` is where its timeline was when it was opened. */
  #open({ lastMessage, receipts, member, timeline, ...summary }: WireSnapshot, activity: number, cursor: string | null): void {
    const before = this.rooms.get(summary.roomId)?.record;
    const record: RoomRecord = {
      roomId: summary.roomId,
      summary,
      activity,
      generation: this.meta.generation,
      usedAt: before?.usedAt ?? 0,
      segments: [],
      last: null,
      shown: null,
      names: {},
      receipts: {},
      sequence: 0,
      isStale: cursor !== null,
      draft: before?.draft ?? "",
      count: 0,
      bytes: 0,
    };
    if (member) record.readUpTo = member.readUpTo;
    if (before?.toRead !== undefined) record.toRead = before.toRead;
    const room = new Room(record, this.me);
    room.isLoaded = true;
    room.staleAt = this.tick;
    room.live.before = cursor;
    for (const { userId, eventId } of receipts.nodes) if (userId !== this.me) room.receipts[userId] = eventId;
    if (timeline) room.takePage(timeline, { anchor: null, side: "before" }, this.tick);
    room.takeLast(lastMessage, this.tick);
    for (const { sequence, actionId } of [...(timeline?.nodes ?? []), ...(lastMessage ? [lastMessage] : [])]) {
      record.sequence = Math.max(record.sequence, sequence);
      if (actionId !== null) this.#arrived(actionId, summary.roomId);
    }
    this.rooms.set(summary.roomId, room);
    this.closed.delete(summary.roomId);
    this.unsaved.cleared.add(summary.roomId);
    this.changed(room);
    this.touch(`members:${summary.roomId}`);
  }

  #close({ roomId, closingReason, by }: { roomId: RoomId; closingReason: Wire.ClosingReason; by: { userId: UserId } }): void {
    this.#uninvite(roomId);
    if (!this.rooms.has(roomId)) return;
    this.closed.set(roomId, { reason: closingReason, byId: by.userId });
    this.#forget(roomId);
  }

  #forget(roomId: RoomId): void {
    const room = this.rooms.get(roomId);
    this.rooms.delete(roomId);
    this.typing.delete(roomId);
    this.unsaved.rooms.add(roomId);
    this.unsaved.cleared.add(roomId);
    for (const it of [...this.unsent.values()]) if (it.roomId === roomId) this.settle(it.echoId);
    for (const root of room?.threads.keys() ?? []) this.touch(`thread:${roomId}/${root}`);
    this.touch("home", `room:${roomId}`, `timeline:${roomId}`, `members:${roomId}`);
  }

  #uninvite(roomId: RoomId): void {
    this.meta.invites = this.meta.invites.filter((it) => it.roomId !== roomId);
    this.touch("home");
  }

  /** Takes the summary of a room, asked for at `tick`. Counts and preferences are those of the stream. */
  takeSummary(room: Room, found: WireSnapshot | null, tick: number): void {
    if (!found) {
      // The stream says soon that the room is closed.
      room.record.isStale = false;
      return;
    }
    const { member, receipts, lastMessage, unreadCount: _, notificationCount: __, highlightCount: ___, preferences: ____, ...summary } = found;
    const { record } = room;
    if (room.staleAt <= tick) record.isStale = false;
    if (room.isLoaded) room.takeLast(lastMessage, tick);
    if (record.readUpTo === undefined) record.readUpTo = member?.readUpTo ?? null;
    // Receipts of members who leave or come back change without the stream saying so. A full page may leave out some.
    const told = new Map(receipts.nodes.map(({ userId, eventId }) => [userId, eventId]));
    told.delete(this.me);
    for (const [userId, eventId] of Object.entries(room.receipts)) {
      const isLeftOut = receipts.nodes.length >= RECEIPTS && !told.has(userId);
      if (isLeftOut || (room.movedAt.get(userId) ?? 0) > tick) told.set(userId, eventId);
    }
    room.receipts = Object.fromEntries(told);
    this.#summarise(record.roomId, summary);
  }

  /** Takes a page of a timeline, asked for at `tick`. */
  takePage(room: Room, page: WirePage, to: Side, tick: number): number {
    const added = room.takePage(page, to, tick);
    for (const { actionId } of page.nodes) if (actionId !== null) this.#arrived(actionId, room.roomId);
    this.changed(room);
    return added;
  }

  takeOne(room: Room, event: WireRow, tick: number): void {
    room.takeOne(event, tick);
    this.changed(room);
  }

  takeThread(room: Room, root: WireRow, page: WirePage, tick: number): number {
    const added = room.takeThread(root, page, tick);
    this.changed(room);
    return added;
  }

  takeMembers(room: Room, { nodes, totalCount, pageInfo }: WireMembers, isFirst: boolean): void {
    const list = isFirst ? new Map<UserId, Member>() : (room.members?.list ?? new Map<UserId, Member>());
    for (const { presence, ...member } of nodes) {
      list.set(member.userId, member as Member);
      if (presence && !this.presence.has(member.userId)) this.setPresence(member.userId, presence);
      if (!this.people.has(member.userId)) this.setPerson(member.userId, [member.displayName, member.avatarUrl]);
    }
    room.members = { list, total: totalCount, isComplete: !pageInfo.hasNextPage, cursor: pageInfo.endCursor };
    this.touch(`members:${room.roomId}`);
  }

  /** Queues an action under the next number. `command` is the name that a page gave it. */
  queue(action: Omit<Unsent, "actionId" | "echoId" | "refusal" | "eventId">, command: string): Unsent {
    const actionId = this.nextActionId(command);
    const unsent: Unsent = { ...action, actionId, echoId: `echo ${actionId}`, refusal: null, eventId: null };
    this.unsent.set(unsent.echoId, unsent);
    this.#unsentChanged(unsent);
    return unsent;
  }

  /** Gives a queued action the next number: the server did not accept the last one, or refused the action. */
  renumber(unsent: Unsent): Unsent {
    const again: Unsent = { ...unsent, actionId: this.nextActionId(), refusal: null };
    this.unsent.delete(unsent.echoId);
    this.unsent.set(unsent.echoId, again);
    this.#unsentChanged(again);
    return again;
  }

  /** The next number of an action. */
  nextActionId(command?: string): number {
    const actionId = (this.meta.lastActionId ?? 0) + 1;
    this.meta.lastActionId = actionId;
    this.unsaved.meta = true;
    if (command !== undefined) {
      this.commands.set(command, actionId);
      this.unsaved.commands.add(command);
    }
    for (const name of this.commands.keys()) {
      if (this.commands.size <= COMMANDS_MAX) break;
      this.commands.delete(name);
      this.unsaved.commands.add(name);
    }
    return actionId;
  }

  /** Takes the answer to a queued action. */
  answered(echoId: string, event: { eventId: string; sequence: number } | null, refusal: Unsent["refusal"]): void {
    const unsent = this.unsent.get(echoId);
    if (!unsent) return;
    const room = this.rooms.get(unsent.roomId);
    const isHere = !event || !room || event.sequence <= room.record.sequence;
    if (unsent.content === null || (!refusal && isHere)) return this.settle(echoId);
    const changed = { ...unsent, refusal, eventId: event?.eventId ?? null };
    this.unsent.set(echoId, changed);
    this.#unsentChanged(changed);
  }

  /** Forgets a queued action. */
  settle(echoId: string): void {
    const unsent = this.unsent.get(echoId);
    if (!unsent) return;
    this.unsent.delete(echoId);
    this.#unsentChanged(unsent);
  }

  /** Says whether the engine has a connection. */
  setOnline(isOnline: boolean): void {
    if (this.isOnline === isOnline) return;
    this.isOnline = isOnline;
    for (const it of this.unsent.values()) this.#touchTimelines(it.roomId);
  }

  setDraft(room: Room, draft: string): void {
    room.record.draft = draft;
    this.#recordChanged(room);
  }

  /** Says what the viewer has read, as of an answer that was asked for at `tick`. */
  setReadUpTo(room: Room, eventId: string | null, tick: number): void {
    if ((room.movedAt.get(this.me) ?? 0) > tick || room.record.readUpTo === eventId) return;
    room.record.readUpTo = eventId;
    this.#recordChanged(room);
  }

  /** Says up to which event the server has to be told that everything is read; `undefined` once it knows. */
  setToRead(room: Room, eventId: string | undefined): void {
    room.record.toRead = eventId;
    this.unsaved.rooms.add(room.roomId);
  }

  /** The content of a room has changed. */
  changed(room: Room): void {
    if (room.lacksLast && !room.record.isStale) this.#staleSummary(room);
    this.#recordChanged(room);
    this.#touchTimelines(room.roomId);
  }

  touch(...keys: ViewKey[]): void {
    for (const key of keys) this.touched.add(key);
  }

  #recordChanged({ roomId }: Room): void {
    this.unsaved.rooms.add(roomId);
    this.touch("home", `room:${roomId}`);
  }

  #touchTimelines(roomId: RoomId): void {
    this.touch(`timeline:${roomId}`);
    for (const root of this.rooms.get(roomId)?.threads.keys() ?? []) this.touch(`thread:${roomId}/${root}`);
  }

  #unsentChanged({ echoId, roomId }: Unsent): void {
    this.unsaved.unsent.add(echoId);
    this.touch("status");
    this.#touchTimelines(roomId);
  }

  /** The event of an own action has come: it takes the place of the echo. */
  #arrived(actionId: number, roomId: RoomId): void {
    for (const it of this.unsent.values()) {
      if (it.actionId === actionId && it.roomId === roomId) return this.settle(it.echoId);
    }
  }
}

/** One action may invite several users. */
export function remoteAction(action: Omit<RemoteAction, "id">): RemoteAction {
  return { id: `${action.actionId} ${action.userId ?? ""}`, ...action };
}

function inviteOf({ invite, ...room }: InviteFieldsFragment) {
  return {
    ...room,
    inviterId: invite?.inviter.userId ?? "",
    inviterName: invite?.inviter.displayName ?? null,
    reason: invite?.reason ?? null,
    isDirect: invite?.isDirect ?? false,
  };
}
