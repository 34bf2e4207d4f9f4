// The parts of the server's answers that the core reads, as documents.graphql selects them.

import type { Json, Presence } from "./plain.js";
import type { SummaryFragment, CallFieldsFragment, InviteFieldsFragment } from "../generated.js";

export interface WireEvent {
  eventId: string;
  sequence: number;
  depth: number;
  cursor: string;
  type: string;
  stateKey: string | null;
  content: unknown;
  sentAt: string;
  isLate: boolean;
  isRedacted: boolean;
  actionId: number | null;
  sender: { userId: string; displayName: string | null; avatarUrl: string | null };
}

export interface WireRow extends WireEvent {
  isSuperseded?: boolean;
  previousContent?: unknown;
  redactedBecause?: { by: { userId: string }; reason: string | null; event: { redacts?: string | null } } | null;
  latestEdit?: { eventId: string } | null;
  editedContent?: unknown;
  reactions?: { nodes: { key: string; count: number; isMine: boolean; users: { nodes: { userId: string }[] } }[] };
  thread?: { count: number; isParticipant: boolean; lastEvent: { eventId: string } | null } | null;
}

export interface WirePage {
  nodes: WireRow[];
  pageInfo: {
    hasPreviousPage: boolean;
    hasNextPage: boolean;
    /** Other servers have earlier events, and this one has none. */
    hasMoreRemotely?: boolean;
    startCursor: string | null;
    endCursor: string | null;
  };
}

export interface WireSnapshot extends SummaryFragment {
  lastMessage: WireRow | null;
  receipts: { nodes: { userId: string; eventId: string }[] };
  member?: { readUpTo: string | null } | null;
  timeline?: WirePage;
}

export interface WireViewer {
  user: { userId: string; displayName: string | null; avatarUrl: string | null };
  device: { deviceId: string; lastActionId: number };
  isAdmin: boolean;
  ignoredUsers: { nodes: { userId: string }[] };
  call: CallFieldsFragment | null;
}

export interface WireHome {
  viewer: WireViewer | null;
  initialSync: { rooms: WireSnapshot[]; invites: InviteFieldsFragment[]; next: string | null; position: string };
}

export interface WirePresence {
  presence: Presence;
  statusMessage: string | null;
  lastActiveAt: string | null;
}

export interface WireMembers {
  nodes: {
    userId: string;
    displayName: string | null;
    avatarUrl: string | null;
    membership: string;
    powerLevel: number | null;
    presence: WirePresence | null;
  }[];
  totalCount: number;
  pageInfo: { hasNextPage: boolean; endCursor: string | null };
}

/** An item of the stream. Fields are there as its type has them. */
export type WireItem = { __typename: string } & Record<string, unknown>;

export interface WireChunk {
  events: unknown[];
  skipped: { roomId: string; first: number; last: number; reason: string }[];
  ephemeral: unknown[];
  counts: { room: { roomId: string }; unreadCount: number; notificationCount: number; highlightCount: number }[];
  position: string;
  isFirst: boolean;
}

export type { Json };
