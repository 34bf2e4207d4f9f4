// The types of the stream's chunks, as `Follow` in documents.graphql selects them.

import type { FollowSubscription } from "./generated.js";

type EventStream = FollowSubscription["eventStream"];

/** A place in the server's log. Opaque: store it and send it back; do not order or compute it. */
export type Position = string;

/** One item of the stream. */
export type StreamItem = EventStream["events"][number];

/** An event of a room. Its type, such as `MessageEvent`, has fields of its own. */
export type RoomEvent = Extract<StreamItem, { eventId: string; sequence: number }>;

/** A change of typing or presence. */
export type EphemeralItem = NonNullable<EventStream["ephemeral"]>[number];

/** The unread counts of a room, as of now. */
export type CountsChanged = NonNullable<EventStream["counts"]>[number];

/** Events that the stream left out, with the reason. */
export type SkippedEvents = EventStream["skipped"][number];

/** Items in order, and the position to resume from once you have stored them. */
export type Chunk = EventStream & OnConnection;

/** A field that the client adds to each chunk. */
export interface OnConnection {
  /** Whether it is the first one on its connection: its typing and presence are the whole state. */
  isFirst: boolean;
}

/** Whether an item of the stream is an event of a room. */
export function isRoomEvent<Item extends { __typename: string }>(
  item: Item,
): item is Extract<Item, { __typename: RoomEvent["__typename"] }> {
  return item.__typename.endsWith("Event");
}
