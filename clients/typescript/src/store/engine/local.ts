// A store without other pages: the engine runs in the same thread. For Node.js, and for tests.

import type { Arguments, Document } from "../../document.js";
import type { Store, ViewKey, Views } from "../contract.js";
import { textOf } from "../text.js";
import { DeviceEngine, type CommandName, type EngineOptions, type Session } from "./engine.js";

/** Opens the store of a device that no other program uses. */
export function openLocalStore(session: Session, options: EngineOptions = {}): LocalStore {
  return new LocalStore(new DeviceEngine(session, options));
}

/** The store of {@link openLocalStore}. */
export class LocalStore implements Store {
  readonly #id = `local ${crypto.randomUUID()}`;
  #commands = 0;

  constructor(readonly engine: DeviceEngine) {}

  get<K extends ViewKey>(key: K): Views[K] | undefined {
    return this.engine.view(key);
  }

  subscribe(key: ViewKey, listener: () => void): () => void {
    const unwatch = this.engine.watch(key);
    const end = this.engine.onChange((keys) => keys.has(key) && listener());
    return () => {
      end();
      unwatch();
    };
  }

  onSignal: Store["onSignal"] = (listener) => this.engine.onSignal(listener);
  send: Store["send"] = (...given) => this.#run("send", given);
  edit: Store["edit"] = (...given) => this.#run("edit", given);
  react: Store["react"] = (...given) => this.#run("react", given);
  unreact: Store["unreact"] = (...given) => this.#run("unreact", given);
  redact: Store["redact"] = (...given) => this.#run("redact", given);
  retry: Store["retry"] = (...given) => this.#run("retry", given);
  discard: Store["discard"] = (...given) => this.#run("discard", given);
  loadBefore: Store["loadBefore"] = (...given) => this.#run("loadBefore", given);
  loadAfter: Store["loadAfter"] = (...given) => this.#run("loadAfter", given);
  loadAround: Store["loadAround"] = (...given) => this.#run("loadAround", given);
  loadThread: Store["loadThread"] = (...given) => this.#run("loadThread", given);
  loadMembers: Store["loadMembers"] = (...given) => this.#run("loadMembers", given);
  loadMoreMembers: Store["loadMoreMembers"] = (...given) => this.#run("loadMoreMembers", given);
  markRead: Store["markRead"] = (...given) => this.#run("markRead", given);
  setTyping: Store["setTyping"] = (...given) => this.#run("setTyping", given);
  setPresence: Store["setPresence"] = (...given) => this.#run("setPresence", given);
  setDraft: Store["setDraft"] = (...given) => this.#run("setDraft", given);
  dismissRemoteAction: Store["dismissRemoteAction"] = (...given) => this.#run("dismissRemoteAction", given);
  logOut: Store["logOut"] = (...given) => this.#run("logOut", given);

  query<Data, Variables extends object>(
    document: Document<Data, Variables>,
    ...[variables, options]: Arguments<Variables>
  ): Promise<Data> {
    return this.#run("query", [textOf(document), variables ?? {}], options?.signal);
  }

  run<Data, Input extends object>(document: Document<Data, { input: Input }>, input: Input): Promise<Data> {
    return this.#run("run", [textOf(document), input]);
  }

  close(): void {
    void this.engine.close();
  }

  #run<T>(name: CommandName, given: readonly unknown[], signal = new AbortController().signal): Promise<T> {
    return this.engine.execute(`${this.#id} ${++this.#commands}`, name, given, signal) as Promise<T>;
  }
}
