// Opens the store of the session, and closes it with the session.

import { effect, signal } from "@preact/signals";
import { openStore, startEngine } from "rookery-client/store";
import { forget, session } from "./session.js";
import { store } from "./store.js";

/** Why the last session ended, if not by a logout here. */
export const ended = signal<string | null>(null);

let isExpected = false;

/** The user ends the session: nobody has to tell them why it ended. */
export function expectEnd(): void {
  isExpected = true;
}

/** The script of the worker is the script of the page, under one policy of trusted types. */
function makeWorker(): SharedWorker {
  const url = "/web/chat.js";
  const policy = globalThis.trustedTypes?.createPolicy("rookery", { createScriptURL: () => url });
  make = () => new SharedWorker((policy ? policy.createScriptURL(url) : url) as string, { name: "rookery", type: "module" });
  return make();
}

let make = makeWorker;

/** Keeps the store of the session open. */
export function follow(): void {
  effect(() => {
    const login = session.value;
    if (!login) {
      store.value = null;
      return;
    }
    const opened = openStore({ session: { url: `${location.origin}/graphql`, ...login }, worker: () => make(), start: startEngine });
    ended.value = null;
    const end = opened.subscribe("status", () => {
      const status = opened.get("status");
      if (status?.phase !== "ended" || session.peek() !== login) return;
      // The server has a newer page: the login goes on.
      if (status.reason === "OUTDATED") return reload();
      if (!isExpected) ended.value = status.reason ?? "";
      isExpected = false;
      forget();
    });
    store.value = opened;
    return () => {
      end();
      opened.close();
    };
  });
}

const RELOADED = "rookery.reloaded";
const RELOAD_PAUSE_MS = 60_000;

/** Loads the page again; not in a loop, should a cache go on serving the old one. */
function reload(): void {
  const last = Number(sessionStorage.getItem(RELOADED));
  if (Date.now() - last < RELOAD_PAUSE_MS) return;
  sessionStorage.setItem(RELOADED, String(Date.now()));
  location.reload();
}

declare global {
  /** Not in the types of the compiler yet. */
  var trustedTypes: { createPolicy(name: string, rules: object): { createScriptURL(url: string): unknown } } | undefined;
}
