// Opens the store of a page, over the way to the engine that the browser has.

import type { FirstScreen } from "../core/records.js";
import type { StartEngine } from "./engine.js";
import { leaderLink } from "./leader.js";
import { locks } from "./locks.js";
import { PageStore } from "./page.js";
import type { SharedSession } from "./protocol.js";
import { workerLink } from "./worker.js";

export interface OpenOptions {
  /** The login of this browser. */
  session: SharedSession;
  /**
   * Makes the SharedWorker whose script calls `serveWorker`: `() => new SharedWorker(url, { name })`. Without it, and in
   * browsers without SharedWorker, one of the pages runs the engine.
   */
  worker?: (() => SharedWorker) | undefined;
  /** What {@link readFirstScreen} read: the page shows it until the engine has sent the same views. */
  first?: Promise<FirstScreen | null> | undefined;
  /** Starts the engine in this page, should it lead. */
  start: StartEngine;
  /** Tells stores of one origin apart. Pages and worker of one store have the same name. */
  name?: string | undefined;
}

/**
 * Opens the store of this page. All pages of the origin share one engine: one socket, one database, one counter of actions.
 *
 * @throws {TypeError} The browser has neither SharedWorker nor Web Locks: serve the page over HTTPS.
 */
export function openStore({ session, worker, start, first, name = "rookery" }: OpenOptions): PageStore {
  if (worker && typeof SharedWorker === "function") {
    try {
      return new PageStore(session, workerLink(worker), first);
    } catch (error) {
      // Some browsers refuse SharedWorkers in private windows.
      console.warn(error);
    }
  }
  if (locks()) return new PageStore(session, leaderLink(start, { name }), first);
  throw new TypeError("this browser has neither SharedWorker nor Web Locks, which it offers over HTTPS and on localhost alone");
}
