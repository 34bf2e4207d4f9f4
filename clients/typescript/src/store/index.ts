// The store: what a page of a chat shows, kept on the device and up to date.

export type * from "./contract.js";
export { DeviceEngine, startEngine, type CommandName, type Engine, type EngineOptions, type Session } from "./engine/engine.js";
export { LocalStore, openLocalStore } from "./engine/local.js";
export { IndexedDBStorage } from "./storage/indexeddb.js";
export { readFirstScreen } from "./storage/first.js";
export { MemoryStorage } from "./storage/memory.js";
export { databaseName } from "./storage/name.js";
export type { FirstScreen } from "./core/records.js";
export type { Storage } from "./storage/storage.js";
export * from "./tabs/index.js";
