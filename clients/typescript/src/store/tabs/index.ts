// Tabs: one engine for all pages of an origin, and a store for each page.

export type { Engine, StartEngine } from "./engine.js";
export { openStore, type OpenOptions } from "./open.js";
export { PageStore } from "./page.js";
export type { CommandName, Session } from "./protocol.js";
export { serveWorker } from "./worker.js";
