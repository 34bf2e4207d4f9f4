// The store, as a page sees it: views to read, and commands to run.
//
// One engine for each device has the socket, the database and the action numbers. Any number of pages hold a `Store` on
// it: in the same thread, over a SharedWorker, or over a BroadcastChannel to the page that leads. A page subscribes to the
// views that it shows, and only those are sent to it.
//
// Invariant: each view is plain data that structured cloning copies.
// Invariant: a view never changes in place. While its content is the same, the object is the same, also that of each row.

import type { Arguments, Document } from "../document.js";
import type * as Wire from "./generated.js";

export type { Wire };

export type RoomId = string;
export type EventId = string;
export type UserId = string;
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/** How the engine is connected. */
export interface Status {
  /** `ended`: the session is over; log in again. `reason` says why. */
  phase: "connecting" | "catchingUp" | "live" | "offline" | "ended";
  /** Events that came since the engine began to catch up. */
  caughtUp: number;
  /** When the next try begins, in milliseconds since 1970; only while offline. */
  retryAt: number | null;
  /** Actions that wait for their answers, also those that were started before an outage. */
  unsent: number;
  reason: string | null;
}

/** The user of the device. */
export interface Viewer {
  userId: UserId;
  deviceId: string;
  displayName: string | null;
  avatarUrl: string | null;
  isAdmin: boolean;
  ignored: readonly UserId[];
}

/** A user as the pages show them. */
export interface Person {
  userId: UserId;
  displayName: string | null;
  avatarUrl: string | null;
  presence: Wire.Presence;
  statusMessage: string | null;
  lastActiveAt: string | null;
}

/** One line of the list of rooms. */
export interface RoomSummary {
  roomId: RoomId;
  displayName: string;
  topic: string | null;
  avatarUrl: string | null;
  canonicalAlias: string | null;
  memberCount: number;
  unreadCount: number;
  notificationCount: number;
  highlightCount: number;
  isFavourite: boolean;
  isDirect: boolean;
  notifications: Wire.RoomNotifications;
  /** The last event that a list of rooms shows. */
  lastMessage: Row | null;
  /** User IDs of other members who are typing. */
  typing: readonly UserId[];
  /** Whether the room has a call. */
  hasCall: boolean;
  /** The other user of a conversation of two. The presence is null until it is known. */
  peer: { userId: UserId; presence: Wire.Presence | null } | null;
}

/** An invite that waits for an answer. */
export interface InviteSummary {
  roomId: RoomId;
  displayName: string;
  topic: string | null;
  avatarUrl: string | null;
  memberCount: number | null;
  inviterId: UserId;
  inviterName: string | null;
  reason: string | null;
  isDirect: boolean;
}

/** A join, a request to join, or an invite of this device to which other servers have to answer. */
export interface RemoteAction {
  /** Stays the same until the action is gone. */
  id: string;
  actionId: number;
  kind: Wire.RemoteActionKind;
  /** The room, by the ID or the alias that the user named. */
  roomId: RoomId | null;
  alias: string | null;
  /** The invited user. */
  userId: UserId | null;
  /** Null while the other servers have not answered. A refusal stays until the user dismisses it. */
  refusal: { code: string; message: string } | null;
}

/** The first screen. */
export interface Home {
  /** Rooms with the newest activity first. */
  rooms: readonly RoomSummary[];
  invites: readonly InviteSummary[];
  /** False until the first screen came from the database or from the server. */
  isLoaded: boolean;
  /** Whether every page of the list of rooms is here. */
  isComplete: boolean;
}

/** The facts about a room that its page needs beside the timeline. */
export interface RoomDetail extends RoomSummary {
  name: string | null;
  joinRule: Wire.JoinRule | null;
  historyVisibility: Wire.HistoryVisibility | null;
  isListed: boolean;
  version: string | null;
  replacedBy: RoomId | null;
  predecessor: RoomId | null;
  myPowerLevel: number | null;
  /** The actions that the server would accept from the viewer now. */
  can: Readonly<Record<keyof Wire.PermissionsFragment, boolean>> | null;
  /** The last row that the viewer has read on any device, or the event itself if its row is not known. */
  readUpTo: EventId | null;
  /** Receipts of other members: the event up to which each has read. */
  receipts: Readonly<Record<UserId, EventId>>;
  /** The text that was typed and not sent. */
  draft: string;
}

export interface Member {
  userId: UserId;
  displayName: string | null;
  avatarUrl: string | null;
  membership: Wire.Membership;
  powerLevel: number | null;
}

export interface Members {
  /** Ordered by user ID. */
  members: readonly Member[];
  total: number;
  isComplete: boolean;
}

export interface RowReaction {
  key: string;
  count: number;
  isMine: boolean;
  userIds: readonly UserId[];
}

/** An event of a timeline, folded with the edits, reactions and redactions of it. */
export interface Row {
  eventId: EventId;
  roomId: RoomId;
  sequence: number;
  depth: number;
  cursor: string;
  /** The type, such as `m.room.message`. */
  type: string;
  stateKey: string | null;
  senderId: UserId;
  senderName: string | null;
  sentAt: string;
  /** The content after the last edit, or what a redaction left. */
  content: Json;
  /** The content that a state event replaced. */
  previousContent: Json;
  isEdited: boolean;
  /** Null if it is not redacted. `byId` is null if the viewer may not see the redaction. */
  redaction: { byId: UserId | null; reason: string | null } | null;
  reactions: readonly RowReaction[];
  thread: { count: number; lastEventId: EventId | null; isParticipant: boolean } | null;
  replyTo: EventId | null;
  threadRoot: EventId | null;
  /** It arrived after events that come later in the timeline. */
  isLate: boolean;
  /** The number of the action, on the device that sent it. */
  actionId: number | null;
}

/** An action of this device whose event has not come yet. */
export interface Echo {
  /** The key of the echo; it stays the same until the event is here. */
  echoId: string;
  roomId: RoomId;
  /** The content to show. */
  content: Json;
  type: string;
  replyTo: EventId | null;
  threadRoot: EventId | null;
  /** The event that it edits. Timelines have such an echo only when it is refused. */
  edits: EventId | null;
  /** `queued` while offline, `sending`, `refused` with a reason: keep it until the user retries or discards it. */
  state: "queued" | "sending" | "refused";
  refusal: { code: string; message: string } | null;
  createdAt: string;
}

/**
 * Consecutive events of a room, without a hole between them. Events that only change others have no row: edits, reactions
 * and redactions are in the rows that they change, and messages of a thread are in the view of the thread.
 */
export interface Segment {
  rows: readonly Row[];
  /** The segment begins with the first event that the viewer may see. */
  isStart: boolean;
  /** New events are appended to this segment. */
  isLive: boolean;
  /** A page in this direction is on its way. */
  isLoadingBefore: boolean;
  isLoadingAfter: boolean;
}

/** The known parts of a room's timeline: segments in order, with a gap between each two. */
export interface Timeline {
  roomId: RoomId;
  segments: readonly Segment[];
  echoes: readonly Echo[];
  /** Why the room was closed, for a room that was open while the page was. */
  closed: { reason: Wire.ClosingReason; byId: UserId | null } | null;
}

/** The views by key. */
export interface Views {
  status: Status;
  viewer: Viewer | null;
  home: Home;
  /** The actions that other servers have not answered, or have refused. Those that succeeded are gone. */
  remoteActions: readonly RemoteAction[];
  [room: `room:${string}`]: RoomDetail | null;
  [timeline: `timeline:${string}`]: Timeline;
  /** `thread:ROOM/EVENT`: one segment with the root, if it is here, and the messages. `loadThread` loads it. */
  [thread: `thread:${string}`]: Timeline;
  [members: `members:${string}`]: Members;
  [person: `person:${string}`]: Person | null;
  /** The call that the viewer is in, or that rings for them. */
  call: CallView | null;
}

export type ViewKey = keyof Views & string;

export interface CallView {
  callId: string;
  roomId: RoomId;
  callerId: UserId;
  calleeId: UserId;
  media: Wire.CallMedia;
  state: Wire.CallState;
  /** The ID of this device in the call; null if it is not part of it. */
  partyId: string | null;
  answeredByPartyId: string | null;
  expiresAt: string;
  endReason: Wire.CallEndReason | null;
}

/** A signal of a call, as `CallSignal` of the schema has it, with the IDs of call and sender. */
export interface Signal {
  callId: string;
  number: number;
  kind: Wire.CallSignalKind;
  senderId: UserId;
  partyId: string;
  sdp: string | null;
  candidates: readonly Json[];
}

/** The content of a message to send. */
export interface Draft {
  body: string;
  formattedBody?: string | undefined;
  kind?: Wire.MessageKind | undefined;
  replyTo?: EventId | undefined;
  threadRoot?: EventId | undefined;
  mentions?: readonly UserId[] | undefined;
  mentionsRoom?: boolean | undefined;
}

/** Why a page of a timeline did not come, or where it begins. */
export interface PageResult {
  /** Rows that the page added. */
  added: number;
  /** Nothing more in this direction. */
  isEnd: boolean;
}

/** The store, as a page uses it. */
export interface Store {
  /** The view as of now. `undefined` until the engine has sent it for the first time; subscribe to get it. */
  get<K extends ViewKey>(key: K): Views[K] | undefined;
  /** Calls `listener` after each change of the view. Returns the function that ends it. */
  subscribe(key: ViewKey, listener: () => void): () => void;
  /** Calls `listener` for each signal of a call. */
  onSignal(listener: (signal: Signal) => void): () => void;

  /** Queues a message; the promise resolves with the echo once the queue is on disk. Sent in order, once, also after a restart. */
  send(roomId: RoomId, draft: Draft): Promise<Echo>;
  edit(roomId: RoomId, eventId: EventId, draft: Draft): Promise<Echo>;
  react(roomId: RoomId, eventId: EventId, key: string): Promise<void>;
  unreact(roomId: RoomId, eventId: EventId, key: string): Promise<void>;
  redact(roomId: RoomId, eventId: EventId, reason?: string): Promise<void>;
  /** Sends a refused echo again, or removes it. */
  retry(echoId: string): Promise<void>;
  discard(echoId: string): Promise<void>;

  /** Loads the page before the first row of the segment that has `eventId`; without it, of the live segment. */
  loadBefore(roomId: RoomId, eventId?: EventId, count?: number): Promise<PageResult>;
  loadAfter(roomId: RoomId, eventId: EventId, count?: number): Promise<PageResult>;
  /** Loads a segment around an event, or at a time. Returns the event that is nearest. */
  loadAround(roomId: RoomId, place: { eventId: EventId } | { at: string }): Promise<EventId | null>;
  loadThread(roomId: RoomId, root: EventId): Promise<PageResult>;
  /** Loads the members of a room from the first one on, at most 1,000 of them. */
  loadMembers(roomId: RoomId): Promise<void>;
  /** Loads the members after those that are here, at most 1,000 of them. */
  loadMoreMembers(roomId: RoomId): Promise<void>;

  markRead(roomId: RoomId, eventId: EventId): Promise<void>;
  setTyping(roomId: RoomId, isTyping: boolean): Promise<void>;
  setPresence(presence: Wire.Presence, statusMessage?: string): Promise<void>;
  setDraft(roomId: RoomId, text: string): Promise<void>;

  /** Runs any query. */
  query<Data, Variables extends object>(document: Document<Data, Variables>, ...given: Arguments<Variables>): Promise<Data>;
  /** Runs any mutation. One that takes an `actionId` gets the next number, in the order of the calls of this page. */
  run<Data, Input extends object>(document: Document<Data, { input: Input }>, input: Input): Promise<Data>;

  /** Forgets a refused action of {@link Views.remoteActions}. */
  dismissRemoteAction(id: string): Promise<void>;

  /** Logs out, erases the database of this device, and ends the store. */
  logOut(options?: { everywhere?: boolean }): Promise<void>;
  /** Ends this page's part; the engine goes on for others. */
  close(): void;
}
