// The engine of a device: it has the socket, the database and the action numbers. Pages hold a `Store` on it.
//
// Invariant: one engine for each device runs at a time. The code that opens it sees to that: see `tabs/`.

import type { ClientOptions } from "../../client.js";
import type { Store, ViewKey, Views } from "../contract.js";
import type { Storage } from "../storage/storage.js";

/** A login, as `logIn` and `register` return it. */
export interface Session {
  /** Address of the server. */
  url: string;
  token: string;
  userId: string;
  deviceId: string;
}

/** The parts of an engine. */
export interface EngineOptions extends Session, Pick<ClientOptions, "webSocket" | "wait"> {
  /** The content of a device: `openDatabase(session)` in browsers, `memory()` elsewhere. */
  storage: Storage;
  /** After this time without a connection, the engine reads the first screen again, in milliseconds; a day by default. */
  resyncAfter?: number | undefined;
}

/** The commands of a {@link Store}: everything but its views, which a page has in its own thread. */
export type Commands = Omit<Store, "get" | "subscribe" | "close">;

export type CommandName = Exclude<keyof Commands, "onSignal">;

/** The store of a device, in the thread that runs it. */
export interface Engine extends Commands {
  /** The view as of now. `undefined` while its content is not loaded: see {@link watch}. */
  view<K extends ViewKey>(key: K): Views[K] | undefined;
  /** Says that a page shows a view: its content is loaded, and stays in memory. Returns the function that ends it. */
  watch(key: ViewKey): () => void;
  /** Calls `listener` after each change with the keys of all views that may have changed. Returns the function that ends it. */
  onChange(listener: (keys: ReadonlySet<ViewKey>) => void): () => void;
  /**
   * Runs a command of {@link Commands} with its arguments, under an ID that no other command has. Documents come as text.
   * Actions get their numbers in the order of the calls.
   *
   * A command that comes again happens once, also after the engine was killed and started again: a page repeats a command
   * whose answer it did not get. The engine stores the ID with the number of the action (`CommandRecord`) before it
   * sends the action, and then repeats the action under its number.
   */
  execute(commandId: string, name: CommandName, given: readonly unknown[], signal?: AbortSignal): Promise<unknown>;
  /** Ends the engine. The promise resolves when the storage has everything and is closed. */
  close(): Promise<void>;
}
