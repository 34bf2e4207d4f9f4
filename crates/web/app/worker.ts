// The script of the SharedWorker, which holds the store of the device for all pages.
//
// Invariant: its address stays the same over releases, so that pages of two releases meet in one worker.

import { serveWorker, startEngine } from "rookery-client/store/worker";

serveWorker(globalThis, startEngine);
