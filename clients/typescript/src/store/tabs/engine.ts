// What a hub needs of the engine of its device.

import type { Store } from "../contract.js";
import type { CommandName, Session } from "./protocol.js";

/** The engine: views to read, and commands under IDs. */
export interface Engine extends Pick<Store, "get" | "subscribe" | "onSignal"> {
  /**
   * Runs a command of `Store` with its arguments. Actions get their numbers in the order of the calls.
   *
   * `commandId` names the command for ever: a command that comes again, also after the engine was killed and started
   * again, gets the outcome of the first one and happens once. Documents come as text.
   */
  execute(commandId: string, name: CommandName, given: readonly unknown[], signal: AbortSignal): Promise<unknown>;
  /** Ends the engine and closes its database. The session goes on: another engine may take over. */
  close(): Promise<void>;
}

/** Starts an engine. It answers at once; views come when they are loaded. */
export type StartEngine = (session: Session) => Engine;
