// The things that the rows of one timeline share: the store, the room, and the row that the reader points at.

import type { ReadonlySignal, Signal } from "@preact/signals";
import type { EventId, RoomId, Row, Store, UserId } from "rookery-client/store";
import { localpart } from "../state/names.js";

export interface Conversation {
  store: Store;
  roomId: RoomId;
  /** The root of the thread; null for the timeline of the room. */
  thread: EventId | null;
  viewerId: UserId | null;
  /** The key of the row that has the focus, or that the pointer is over. */
  active: Signal<string | null>;
  /** The row whose list of emoji is open. */
  picking: Signal<string | null>;
  /** Whether the dialog for a jump to a date is open. */
  isAskingDate: Signal<boolean>;
  /** The event that a link leads to. */
  marked: Signal<EventId | null>;
  /** The members who have read up to each event, as user IDs with spaces between them. */
  receipts: ReadonlySignal<ReadonlyMap<EventId, string>>;
  rowOf: (eventId: EventId) => Row | undefined;
  nameOf: (userId: UserId) => string;
  /** Shows an event of the room. */
  goTo: (eventId: EventId) => void;
}

/** Names of users, from the list of members and from the rows that are here. */
export function namesOf(store: Store, roomId: RoomId, rows: () => Iterable<Row>): (userId: UserId) => string {
  return (userId) => {
    const member = store.get(`members:${roomId}`)?.members.find((it) => it.userId === userId);
    if (member) return member.displayName ?? localpart(userId);
    for (const row of rows()) if (row.senderId === userId && row.senderName !== null) return row.senderName;
    return localpart(userId);
  };
}

/** The receipts by event. */
export function receiptsOf(receipts: Readonly<Record<UserId, EventId>>, viewerId: UserId | null): Map<EventId, string> {
  const readers = new Map<EventId, string>();
  for (const [userId, eventId] of Object.entries(receipts)) {
    if (userId === viewerId) continue;
    const before = readers.get(eventId);
    readers.set(eventId, before === undefined ? userId : `${before} ${userId}`);
  }
  return readers;
}
