// The messages between a page and the hub of its device.
//
// A page says hello with its session, and at once what it wants: views to follow, commands to run. The hub answers with a welcome, with changes
// of views in batches, and with one answer for each command.
//
// **Invariant:** the hub sends the next batch after the page took the last one. Until then changes of a view become one
// change, so a page that is slow or stands still costs no memory.
// **Invariant:** a command has a number that counts up for its page. A page repeats its unanswered commands, in order and
// under their numbers, after each hello.

import type { Signal, ViewKey } from "../contract.js";
import type { CommandName, Session } from "../engine/engine.js";
import type { Change } from "./changes.js";

/** Raise it with each change of the messages: pages and hub come from different releases when the server was updated. */
export const PROTOCOL = 1;

/** The login that all pages of a browser share. */
export interface SharedSession extends Session {
  /** When the user logged in, in milliseconds since 1970. Of two sessions of one browser the later one counts. */
  since: number;
}

/** From a page to the hub. */
export type ToHub =
  | { kind: "hello"; protocol: number; pageId: string; session: SharedSession }
  | { kind: "subscribe"; key: ViewKey }
  | { kind: "unsubscribe"; key: ViewKey }
  | { kind: "command"; number: number; name: CommandName; given: readonly unknown[] }
  /** The page does not wait for the command any more. */
  | { kind: "cancel"; number: number }
  /** The page has taken a batch of changes. */
  | { kind: "took"; batch: number }
  | { kind: "pong" }
  | { kind: "bye" };

/** From the hub to a page. */
export type ToPage =
  | { kind: "welcome" }
  | { kind: "views"; batch: number; changes: [ViewKey, Change][]; signals: Signal[] }
  | { kind: "answer"; number: number; value: unknown }
  | { kind: "failure"; number: number; fault: Fault }
  | { kind: "ping" }
  /** The hub has forgotten the page, which did not answer: say hello again. */
  | { kind: "dropped" }
  /** The session is over. */
  | { kind: "ended"; reason: string }
  /** The page is older than the engine: load it again. */
  | { kind: "outdated" };

/** An error, as plain data. */
export interface Fault {
  name: string;
  message: string;
  [field: string]: unknown;
}

/** One end of a connection between a page and a hub. */
export interface Port<Out, In> {
  post(message: Out): void;
  /** Called for each message of the other end, in order. */
  listen(listener: (message: In) => void): void;
  /** Called once, when the other end is known to be gone. */
  onGone(listener: () => void): void;
  close(): void;
}

export type PortOfPage = Port<ToHub, ToPage>;
export type PortOfHub = Port<ToPage, ToHub>;
