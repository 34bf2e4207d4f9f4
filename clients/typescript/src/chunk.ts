// The types of the stream's chunks.

/** A place in the server's log. Opaque: store it and send it back; do not order or compute it. */
export type Position = string;

/** An event of a room. Its type, such as `MessageEvent`, has fields of its own. */
export interface RoomEvent {
  __typename: `${string}Event`;
  eventId: string;
  /** 1, 2, 3 ... in each room, in order of arrival. */
  sequence: number;
  type: string;
  stateKey: string | null;
  content: unknown;
  text: string | null;
  sentAt: string;
  /** The number of your action behind the event; null if another device sent it. */
  actionId: number | null;
  room: { roomId: string };
  sender: { userId: string };
}

/** Whether an item of the stream is an event of a room. */
export function isRoomEvent(item: { __typename: string }): item is RoomEvent {
  return item.__typename.endsWith("Event");
}

/** One item of the stream. */
export type StreamItem =
  | RoomEvent
  | { __typename: "RoomOpened"; room: { roomId: string; name: string | null }; sequence: number; cursor: string }
  | { __typename: "RoomClosed"; roomId: string; closingReason: string }
  | {
      __typename: "StateResolved";
      room: { roomId: string };
      type: string;
      /** Never null. The schema allows it, so that a document may select it beside that of `RoomEvent`. */
      stateKey: string | null;
      event: { eventId: string; content: unknown } | null;
    }
  | { __typename: "Invited"; room: { roomId: string; name: string | null }; inviter: { userId: string } }
  | { __typename: "ProfileChanged"; user: { userId: string; displayName: string | null; avatarUrl: string | null } }
  | { __typename: "ReceiptMoved"; room: { roomId: string }; userId: string; eventId: string }
  | { __typename: "DeviceAdded"; deviceId: string; name: string | null }
  | { __typename: "DeviceRemoved"; deviceId: string };

/** Events that the stream left out, with the reason. */
export interface SkippedEvents {
  roomId: string;
  first: number;
  last: number;
  reason: string;
}

/** Items in order, and the position to resume from once you have stored them. */
export interface Chunk {
  events: StreamItem[];
  skipped: SkippedEvents[];
  position: Position;
}

/** Selects the fields of the types above. Your own document may select more: see `FollowOptions.document`. */
export const FOLLOW = /* GraphQL */ `
  subscription Follow($after: Position, $filter: FilterInput) {
    eventStream(after: $after, filter: $filter) {
      events {
        __typename
        ... on RoomEvent {
          eventId sequence type stateKey content text sentAt actionId
          room { roomId }
          sender { userId }
        }
        ... on RoomOpened { room { roomId name } sequence cursor }
        ... on RoomClosed { roomId closingReason }
        ... on StateResolved { room { roomId } type stateKey event { eventId content } }
        ... on Invited { room { roomId name } inviter { userId } }
        ... on ProfileChanged { user { userId displayName avatarUrl } }
        ... on ReceiptMoved { room { roomId } userId eventId }
        ... on DeviceAdded { deviceId name }
        ... on DeviceRemoved { deviceId }
      }
      skipped { roomId first last reason }
      position
    }
  }
`;
