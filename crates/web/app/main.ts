// The one script of the chat. In a SharedWorker it holds the store of the device for all pages; in a page it shows them.
//
// Invariant: no file does anything to a page when it is loaded; `start` does.

import { serveWorker, startEngine } from "rookery-client/store";
import { start } from "./start.js";

if ("SharedWorkerGlobalScope" in globalThis) serveWorker(globalThis, startEngine);
else void start();
