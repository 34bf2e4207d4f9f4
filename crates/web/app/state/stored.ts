// The login in `localStorage`, as text and as data.

import { local } from "./local.js";

export interface Session {
  token: string;
  deviceId: string;
  userId: string;
  /** When the user logged in, in milliseconds since 1970. */
  since: number;
}

export const SESSION = "rookery.session";

/** The stored login. */
export const storedSession = (): Session | null => sessionOf(local.get(SESSION));

export function sessionOf(text: string | null): Session | null {
  try {
    return text ? (JSON.parse(text) as Session) : null;
  } catch {
    return null;
  }
}
