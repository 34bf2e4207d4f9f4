// Runs in the head of the page, while its script is still on its way: starts the worker, and reads what the first paint needs.
//
// Invariant: it imports nothing that the first paint does not need at once, so it is small.

import { databaseName, readFirstScreen } from "rookery-client/store/page";
import { early, type Boot } from "./state/early.js";
import { storedSession } from "./state/stored.js";
import { fileOf, preferred } from "./texts/preferred.js";

const WORKER = "/web/chat.js";

/** The worker's address, under the one policy of trusted types. */
const policy = globalThis.trustedTypes?.createPolicy("rookery", { createScriptURL: () => WORKER });
const makeWorker = () => new SharedWorker((policy ? policy.createScriptURL(WORKER) : WORKER) as string, { name: "rookery", type: "module" });

const session = storedSession();
const file = fileOf(preferred());

early.boot = {
  session,
  first: session ? readFirstScreen(databaseName(session)).catch(() => null) : Promise.resolve(null),
  texts: file === null ? null : fetch(file).catch(() => null),
  makeWorker: session ? startWorker() : makeWorker,
} satisfies Boot;

/** Starts the worker now. Returns the function that returns it to its first caller, and makes another one for the next. */
function startWorker(): () => SharedWorker {
  let worker: SharedWorker | null = null;
  try {
    worker = makeWorker();
    // Its script did not load: the page makes another one.
    worker.onerror = () => (worker = null);
  } catch {
    // Some browsers refuse SharedWorkers in private windows, and some have none.
  }
  return () => {
    const started = worker ?? makeWorker();
    worker = null;
    return started;
  };
}

declare global {
  /** Not in the types of the compiler yet. */
  var trustedTypes: { createPolicy(name: string, rules: object): { createScriptURL(url: string): unknown } } | undefined;
}
