// The part of the store that a SharedWorker needs: the engine, and the way of the pages to it.

export { startEngine } from "./engine/engine.js";
export { serveWorker } from "./tabs/worker.js";
