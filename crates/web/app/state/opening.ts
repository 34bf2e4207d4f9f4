// Opens the store of the session, and closes it with the session.

import { local, ofTab } from "./local.js";
import { effect, signal } from "@preact/signals";
import { openStore, type StartEngine } from "rookery-client/store/page";
import { early } from "./early.js";
import { forget, session } from "./session.js";
import { store } from "./store.js";

/** Why the last session ended, if not by a logout here. */
export const ended = signal<string | null>(null);

let isExpected = false;

/** The user ends the session: nobody has to tell them why it ended. */
export function expectEnd(): void {
  isExpected = true;
}

/** Starts the engine in this page, where there is no SharedWorker. Other pages do without its script. */
const startEngine: StartEngine = async (session) => (await import("./engine.js")).startEngine(session);

/** Keeps the store of the session open. */
export function follow(): void {
  effect(() => {
    const login = session.value;
    if (!login) {
      store.value = null;
      return;
    }
    const { boot } = early;
    const first = boot?.session?.token === login.token ? boot.first : undefined;
    const url = `${location.origin}/graphql`;
    // A browser that keeps nothing for this page: each tab has a login of its own, and an engine of its own.
    const alone = local.isDenied() ? { name: `rookery-${login.deviceId}` } : { worker: boot?.makeWorker };
    const opened = openStore({ session: { url, ...login }, start: startEngine, first, ...alone });
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
  const last = Number(ofTab.get(RELOADED));
  if (Date.now() - last < RELOAD_PAUSE_MS) return;
  ofTab.set(RELOADED, String(Date.now()));
  location.reload();
}
