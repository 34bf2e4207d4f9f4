// Tabs: one engine for all pages of an origin, and a store for each page.

export type { HubEngine, StartEngine } from "./engine.js";
export { openStore, type OpenOptions } from "./open.js";
export { PageStore } from "./page.js";
export type { SharedSession } from "./protocol.js";
export { serveWorker } from "./worker.js";
