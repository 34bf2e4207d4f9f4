// The store: what a page of a chat shows, kept on the device and up to date.

export type * from "./contract.js";
export type { CommandName, Commands, Engine, EngineOptions, Session } from "./engine/engine.js";
export type { Storage } from "./storage/storage.js";
export * from "./tabs/index.js";
