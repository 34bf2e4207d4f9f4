// The engine in a SharedWorker, and the way of a page to it.
//
// **Invariant:** a page that sees its worker die, or hears nothing of it, starts it again. The browser gives all pages of one name one worker.

import type { StartEngine } from "./engine.js";
import { Hub } from "./hub.js";
import { hold, locks } from "./locks.js";
import type { Link } from "./page.js";
import { portOver, type Channel } from "./ports.js";
import type { PortOfHub, PortOfPage } from "./protocol.js";

/** The pause before a worker whose script did not load is started again; it doubles up to {@link LONGEST_MS}. */
const FIRST_MS = 500;
const LONGEST_MS = 30_000;
/**
 * A worker that says nothing for this time is connected again: the browser may have connected the page to one that was just
 * ending, which nobody tells the page. The time doubles up to {@link LONGEST_MS}.
 */
const SILENT_MS = 4_000;

/** The used part of `SharedWorkerGlobalScope`. */
export interface WorkerScope extends EventTarget {
  close(): void;
}

/** Serves the pages that connect to this SharedWorker. Call it once, while the script runs for the first time. */
export function serveWorker(scope: WorkerScope, start: StartEngine, { name = "rookery" } = {}): void {
  const lock = hold(`${name}:engine`);
  const giveWay = async () => {
    await hub.close();
    lock.release();
    scope.close();
  };
  const ready = locks() ? lock.granted : Promise.resolve();
  const hub = new Hub({ start, ready, onOutdated: () => void giveWay() });
  scope.addEventListener("connect", (event) => {
    const [port] = (event as MessageEvent).ports;
    if (port) hub.accept(portOver(port as Channel) as PortOfHub);
  });
}

/** The way to the worker that `create` makes, with the same script and name in all pages. */
export function workerLink(create: () => SharedWorker): Link {
  let isClosed = false;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let waitMs = FIRST_MS;
  let silentMs = SILENT_MS;
  let current: PortOfPage | null = null;
  let onPort = (_: PortOfPage) => {};

  const again = () => {
    clearTimeout(timer);
    timer = setTimeout(begin, waitMs);
    waitMs = Math.min(LONGEST_MS, waitMs * 2);
  };

  function begin(): void {
    if (isClosed) return;
    const worker = create();
    const port: PortOfPage = portOver(worker.port as Channel);
    current = port;
    // The script did not load.
    worker.addEventListener("error", () => current === port && again(), { once: true });
    let isAlive = false;
    clearTimeout(timer);
    timer = setTimeout(() => {
      port.close();
      begin();
    }, silentMs);
    silentMs = Math.min(LONGEST_MS, silentMs * 2);
    port.onGone(() => {
      port.close();
      if (isAlive) begin();
      else again();
    });
    const { listen } = port;
    onPort({
      ...port,
      listen: (listener) =>
        listen((message) => {
          if (!isAlive && current === port) clearTimeout(timer);
          [isAlive, waitMs, silentMs] = [true, FIRST_MS, SILENT_MS];
          listener(message);
        }),
    });
  }

  return {
    open: (given) => {
      onPort = given;
      begin();
    },
    close: () => {
      isClosed = true;
      clearTimeout(timer);
    },
  };
}
