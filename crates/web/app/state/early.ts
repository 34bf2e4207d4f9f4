// What `boot.ts` began before the script of the page was here.

import type { FirstScreen } from "rookery-client/store";
import type { Session } from "./stored.js";

export interface Boot {
  /** The login as of then. */
  session: Session | null;
  /** The stored first screen of that login. */
  first: Promise<FirstScreen | null>;
  /** The file with the texts of the preferred language; null for English. */
  texts: Promise<Response | null> | null;
  makeWorker: () => SharedWorker;
}

/** The two scripts share nothing but the page. */
export const early = globalThis as typeof globalThis & { boot?: Boot };
