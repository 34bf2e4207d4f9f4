// The stored form of the store's content. Each record is plain data.

import type { Home, InviteSummary, Json, RemoteAction, Row, RowReaction, Viewer } from "../contract.js";
import type { CallFieldsFragment, SummaryFragment } from "../generated.js";

/** The part of the store that is about no room. */
export interface Meta {
  /** Another version is another form: the store begins again from the server. */
  version: number;
  /** Everything up to this position is stored. Null until the first page of the first screen is here. */
  position: string | null;
  /** The first screen has to be read again: the stream from `position` would not be enough. */
  isOutdated: boolean;
  /** Where the list of rooms continues; null if all pages are here. */
  next: string | null;
  /** The last used number of an action; null until it is known. */
  lastActionId: number | null;
  viewer: Viewer | null;
  invites: InviteSummary[];
  call: CallFieldsFragment | null;
  /** Left out in records of earlier releases. */
  remoteActions?: readonly RemoteAction[];
  /** The greatest activity of a room. */
  activity: number;
  /** Counts how often the first screen was read. Rooms of an earlier one go when all pages of the last one are here. */
  generation: number;
  /** When this was stored, in milliseconds since 1970. */
  savedAt: number;
}

/** The name and the avatar of a user in a room. */
export type Profile = [displayName: string | null, avatarUrl: string | null];

/** The place of an event in a timeline: depth, then sequence. */
export type Place = [depth: number, sequence: number];

/** A segment without its events, which are those between two places. */
export interface SegmentRecord {
  first: Place | null;
  last: Place | null;
  /** The cursors from which earlier and later events come. */
  before: string | null;
  after: string | null;
  isStart: boolean;
  isLive: boolean;
}

/** A room without its events. */
export interface RoomRecord {
  roomId: string;
  summary: SummaryFragment;
  /** Rooms with more have newer activity. */
  activity: number;
  generation: number;
  /** When a page last showed the room, in milliseconds since 1970. */
  usedAt: number;
  segments: SegmentRecord[];
  /** The last message, unless the live segment has one. */
  last: StoredEvent | null;
  /** The row of the last message, for a list of rooms without their events. */
  shown: Row | null;
  names: Record<string, Profile>;
  receipts: Record<string, string>;
  /** Null if nothing is read; left out if it is not known yet. */
  readUpTo?: string | null;
  /** The server has to be told that everything up to this event is read. */
  toRead?: string | undefined;
  /** The sequences of events that the stream left out because they were superseded: the timeline may have to show them. */
  missing?: readonly number[] | undefined;
  /** The greatest sequence of the room so far. */
  sequence: number;
  /** The summary may be outdated: the server has to be asked. */
  isStale: boolean;
  draft: string;
  /** How many events are stored, and about how many bytes they have. */
  count: number;
  bytes: number;
}

/** The effects of other events on an event, as the server told them. */
export interface Relations {
  isEdited: boolean;
  edited: Json;
  reactions: RowReaction[];
  thread: { count: number; lastEventId: string | null; isParticipant: boolean } | null;
}

/** An event. */
export interface StoredEvent {
  eventId: string;
  sequence: number;
  depth: number;
  cursor: string;
  type: string;
  stateKey: string | null;
  senderId: string;
  sentAt: string;
  content: Json;
  isLate: boolean;
  isRedacted: boolean;
  actionId: number | null;
  /** It never was the state of the room. */
  isSuperseded?: true;
  /** For state: the content that it replaced; left out if it is not known yet. */
  previous?: Json;
  /** The redaction of it, as the server told it. */
  redacted?: { byId: string; reason: string | null; redacts: string | null };
  /** For events outside the live segment, of which not all related events are here. */
  relations?: Relations;
  /** The server has to be asked for this event again. */
  isStale?: true;
}

/** The kinds of actions that are stored until they have an answer. */
export type UnsentKind = "send" | "react" | "redact";

/** An action without an answer, or a refused one that the user has not discarded. */
export interface Unsent {
  actionId: number;
  echoId: string;
  kind: UnsentKind;
  roomId: string;
  /** The input of the mutation, without its number. */
  input: Record<string, unknown>;
  /** The content to show; null if there is nothing to show. */
  content: Json;
  createdAt: string;
  refusal: { code: string; message: string } | null;
  /** The event of the answer, which has not come on the stream yet. */
  eventId: string | null;
}

/** The views of a page that shows the list of rooms, cut to what a screen shows. A page reads it before its engine has started. */
export interface FirstScreen {
  version: number;
  home: Home;
  viewer: Viewer | null;
}

export const VERSION = 3;

/** The record of a device without any content. */
export function emptyMeta(): Meta {
  return {
    version: VERSION,
    position: null,
    isOutdated: false,
    next: null,
    lastActionId: null,
    viewer: null,
    invites: [],
    call: null,
    activity: 0,
    generation: 0,
    savedAt: 0,
  };
}

/** Compares two places of a timeline. */
export function compare(one: { depth: number; sequence: number }, other: { depth: number; sequence: number }): number {
  return one.depth - other.depth || one.sequence - other.sequence;
}
