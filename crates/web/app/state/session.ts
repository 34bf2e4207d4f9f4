// The login of this browser: one device for all its tabs.
//
// Invariant: the token lies in the storage of this origin alone, and logout removes it.

import { local } from "./local.js";
import { signal } from "@preact/signals";
import { SESSION, sessionOf, storedSession, type Session } from "./stored.js";

export type { Session };


/** Says that somebody was logged in here once. */
const BEFORE = "rookery.before";

/** The login of now, the same in all tabs. */
export const session = signal<Session | null>(null);

export function keep(login: Session): void {
  local.set(SESSION, JSON.stringify(login));
  session.value = login;
}

/** Whether this browser had an account once. */
export const hadAccount = () => local.get(BEFORE) !== null;

/** Forgets the login of this tab. Another one that took its place meanwhile, in another tab, stays. */
export function forget(): void {
  local.set(BEFORE, "1");
  const stored = storedSession();
  const isOwn = stored?.token === session.peek()?.token;
  if (isOwn) local.remove(SESSION);
  session.value = isOwn ? null : stored;
}

/** Reads the stored login, and follows logins and logouts of other tabs. */
export function begin(): void {
  session.value = storedSession();
  addEventListener("storage", ({ key, newValue }) => {
    if (key === SESSION || key === null) session.value = sessionOf(newValue);
  });
}
