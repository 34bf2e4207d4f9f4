// The part of the store that a page needs, without the engine: that runs in a SharedWorker, whose script is another one.

export type * from "./contract.js";
export type { CommandName, Engine, Session } from "./engine/engine.js";
export type { FirstScreen } from "./core/records.js";
export { databaseName } from "./storage/name.js";
export { readFirstScreen } from "./storage/first.js";
export type { HubEngine, StartEngine } from "./tabs/engine.js";
export { openStore, type OpenOptions } from "./tabs/open.js";
export { PageStore } from "./tabs/page.js";
export type { SharedSession } from "./tabs/protocol.js";
