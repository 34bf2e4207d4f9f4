export { Actions, type Action, type Payload, type Refusal } from "./actions.js";
export { Client, connect, logIn, type ClientOptions, type Login } from "./client.js";
export { isRoomEvent, type Chunk, type Position, type RoomEvent, type SkippedEvents, type StreamItem } from "./chunk.js";
export { Echoes, type Echo } from "./echoes.js";
export { Disconnected, Refused, RequestFailed, StreamEnded, UnexpectedAnswer, UpgradeRefused } from "./errors.js";
export { Sequences, type Gap } from "./sequences.js";
export type { FollowOptions } from "./stream.js";
