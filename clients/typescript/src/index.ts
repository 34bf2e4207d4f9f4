export { Actions, type Action, type Payload, type Refusal } from "./actions.js";
export { Activity, type PresenceOf } from "./activity.js";
export { Client, connect, logIn, type ActionOptions, type ClientOptions, type Login, type Sent } from "./client.js";
export {
  isRoomEvent,
  type Chunk,
  type EphemeralItem,
  type Position,
  type RoomEvent,
  type SkippedEvents,
  type StreamItem,
} from "./chunk.js";
export type { Batch, BatchFields, ConsumeOptions } from "./consume.js";
export type { CallOptions, Document } from "./document.js";
export { Echoes, type Echo } from "./echoes.js";
export { Disconnected, Refused, RequestFailed, StreamEnded, UnexpectedAnswer, UpgradeRefused } from "./errors.js";
export { ConsumeDocument, FollowDocument } from "./generated.js";
/** The types of the wire: inputs, enums, and the data of the client's own documents. */
export type * as Wire from "./generated.js";
export { Sequences, type Gap } from "./sequences.js";
export type { FollowOptions } from "./stream.js";
