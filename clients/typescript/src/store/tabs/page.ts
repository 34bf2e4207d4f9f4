// The store of one page: copies of the views that it shows, and commands that survive the engine.
//
// **Invariant:** a view keeps its object, and each row its object, while the content is the same, also over a new engine.
// **Invariant:** listeners run after all views of a batch are in place.
// **Invariant:** a command is answered, or repeated under its number by the next engine, or rejected when the session ends.

import type { Arguments, Document } from "../../document.js";
import { textOf } from "../text.js";
import { StreamEnded } from "../../errors.js";
import type { Draft, Echo, EventId, PageResult, RoomId, Signal, Status, Store, ViewKey, Views, Wire } from "../contract.js";
import type { CommandName } from "../engine/engine.js";
import type { FirstScreen } from "../core/records.js";
import { apply, difference, type Change } from "./changes.js";
import { errorOf } from "./faults.js";
import { PROTOCOL, type PortOfPage, type SharedSession, type ToPage } from "./protocol.js";

/** Most commands without an answer. */
const COMMANDS_MAX = 1_000;
/** The views without a listener that stay up to date, so that going back shows them at once. */
const LINGERING_MAX = 4;

/** The way to the engine. */
export interface Link {
  /** Calls `onPort` for each engine that there is, one after another. */
  open(onPort: (port: PortOfPage) => void): void;
  close(): void;
}

interface Pending {
  name: CommandName;
  given: readonly unknown[];
  resolve: (value: never) => void;
  reject: (error: unknown) => void;
}

export class PageStore implements Store {
  readonly #pageId = randomId();
  readonly #views = new Map<ViewKey, unknown>();
  /** The stored first screen, until the engine has sent the same views. */
  readonly #first = new Map<ViewKey, unknown>();
  readonly #listeners = new Map<ViewKey, Set<() => void>>();
  readonly #signalListeners = new Set<(signal: Signal) => void>();
  /** The keys that the page follows; those without listeners are the first of `#lingering`. */
  readonly #followed = new Set<ViewKey>(["status"]);
  readonly #lingering = new Set<ViewKey>();
  readonly #commands = new Map<number, Pending>();
  #last = 0;
  #port: PortOfPage | null = null;
  /** The port carries the answers to the last hello. */
  #isWelcome = false;
  #isOver = false;

  constructor(
    private readonly session: SharedSession,
    private readonly link: Link,
    first?: Promise<FirstScreen | null>,
  ) {
    first?.then((stored) => stored && this.#showFirst(stored)).catch(() => {});
    link.open((port) => this.#greet(port));
  }

  get<K extends ViewKey>(key: K): Views[K] | undefined {
    return (this.#views.get(key) ?? this.#first.get(key)) as Views[K] | undefined;
  }

  subscribe(key: ViewKey, listener: () => void): () => void {
    // The same function may listen twice.
    const own = () => listener();
    const listeners = this.#listeners.get(key) ?? new Set();
    this.#listeners.set(key, listeners.add(own));
    this.#lingering.delete(key);
    if (!this.#followed.has(key)) {
      this.#followed.add(key);
      this.#port?.post({ kind: "subscribe", key });
    }
    return () => {
      if (listeners.delete(own) && listeners.size === 0 && this.#listeners.get(key) === listeners) this.#linger(key);
    };
  }

  onSignal(listener: (signal: Signal) => void): () => void {
    const own = (signal: Signal) => listener(signal);
    this.#signalListeners.add(own);
    return () => this.#signalListeners.delete(own);
  }

  send = (roomId: RoomId, draft: Draft) => this.#run<Echo>("send", roomId, draft);
  edit = (roomId: RoomId, eventId: EventId, draft: Draft) => this.#run<Echo>("edit", roomId, eventId, draft);
  react = (roomId: RoomId, eventId: EventId, key: string) => this.#run<void>("react", roomId, eventId, key);
  unreact = (roomId: RoomId, eventId: EventId, key: string) => this.#run<void>("unreact", roomId, eventId, key);
  redact = (roomId: RoomId, eventId: EventId, reason?: string) => this.#run<void>("redact", roomId, eventId, reason);
  retry = (echoId: string) => this.#run<void>("retry", echoId);
  discard = (echoId: string) => this.#run<void>("discard", echoId);
  loadBefore = (roomId: RoomId, eventId?: EventId, count?: number) => this.#run<PageResult>("loadBefore", roomId, eventId, count);
  loadAfter = (roomId: RoomId, eventId: EventId, count?: number) => this.#run<PageResult>("loadAfter", roomId, eventId, count);
  loadAround = (roomId: RoomId, place: { eventId: EventId } | { at: string }) =>
    this.#run<EventId | null>("loadAround", roomId, place);
  loadThread = (roomId: RoomId, root: EventId) => this.#run<PageResult>("loadThread", roomId, root);
  loadMembers = (roomId: RoomId) => this.#run<void>("loadMembers", roomId);
  loadMoreMembers = (roomId: RoomId) => this.#run<void>("loadMoreMembers", roomId);
  markRead = (roomId: RoomId, eventId: EventId) => this.#run<void>("markRead", roomId, eventId);
  setTyping = (roomId: RoomId, isTyping: boolean) => this.#run<void>("setTyping", roomId, isTyping);
  setPresence = (presence: Wire.Presence, statusMessage?: string) => this.#run<void>("setPresence", presence, statusMessage);
  setDraft = (roomId: RoomId, text: string) => this.#run<void>("setDraft", roomId, text);
  dismissRemoteAction = (id: string) => this.#run<void>("dismissRemoteAction", id);
  logOut = (options?: { everywhere?: boolean }) => this.#run<void>("logOut", options);

  query<Data, Variables extends object>(
    document: Document<Data, Variables>,
    ...[variables, options]: Arguments<Variables>
  ): Promise<Data> {
    return this.#command<Data>("query", [textOf(document), variables ?? {}], options?.signal);
  }

  run<Data, Input extends object>(document: Document<Data, { input: Input }>, input: Input): Promise<Data> {
    return this.#run<Data>("run", textOf(document), input);
  }

  close(): void {
    if (this.#isOver) return;
    this.#leave(new DOMException("the store was closed", "AbortError"));
  }

  #run<T>(name: CommandName, ...given: unknown[]): Promise<T> {
    return this.#command<T>(name, given);
  }

  #command<T>(name: CommandName, given: readonly unknown[], signal?: AbortSignal): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      if (this.#isOver) return reject(new StreamEnded(4403, this.get("status")?.reason ?? "the store was closed"));
      if (this.#commands.size >= COMMANDS_MAX) return reject(new RangeError("too many commands wait for their answers"));
      const number = ++this.#last;
      const cancel = () => {
        if (!this.#commands.delete(number)) return;
        this.#port?.post({ kind: "cancel", number });
        reject(signal?.reason);
      };
      signal?.addEventListener("abort", cancel);
      const done = () => signal?.removeEventListener("abort", cancel);
      const pending: Pending = {
        name,
        given,
        resolve: (value) => (done(), resolve(value)),
        reject: (error) => (done(), reject(error)),
      };
      // An argument that cannot be copied throws here, and waits for nothing.
      this.#port?.post({ kind: "command", number, name, given });
      this.#commands.set(number, pending);
    });
  }

  /** Keeps the view for a while, and forgets the oldest such view. */
  #linger(key: ViewKey): void {
    this.#listeners.delete(key);
    if (key === "status") return;
    this.#lingering.add(key);
    const [oldest] = this.#lingering;
    if (this.#lingering.size <= LINGERING_MAX || oldest === undefined) return;
    this.#lingering.delete(oldest);
    this.#followed.delete(oldest);
    this.#views.delete(oldest);
    this.#port?.post({ kind: "unsubscribe", key: oldest });
  }

  #greet(port: PortOfPage): void {
    if (this.#isOver) return port.close();
    if (this.#port !== port) this.#port?.close();
    this.#port = port;
    this.#isWelcome = false;
    port.listen((message) => {
      if (this.#port === port) this.#take(message, port);
    });
    this.#sayHello(port);
  }

  /** Says hello, and what this page wants, without waiting for the welcome: a start takes one way there and one back. */
  #sayHello(port: PortOfPage): void {
    this.#isWelcome = false;
    port.post({ kind: "hello", protocol: PROTOCOL, pageId: this.#pageId, session: this.session });
    for (const key of this.#followed) port.post({ kind: "subscribe", key });
    for (const [number, { name, given }] of this.#commands) port.post({ kind: "command", number, name, given });
  }

  #take(message: ToPage, port: PortOfPage): void {
    switch (message.kind) {
      case "welcome":
        this.#isWelcome = true;
        return;
      case "views":
        // It was on its way while this page said hello again.
        if (!this.#isWelcome) return;
        try {
          this.#show(message.changes);
          for (const signal of message.signals) for (const listener of [...this.#signalListeners]) call(() => listener(signal));
        } finally {
          port.post({ kind: "took", batch: message.batch });
        }
        return;
      case "answer":
      case "failure": {
        const pending = this.#commands.get(message.number);
        this.#commands.delete(message.number);
        if (message.kind === "answer") pending?.resolve(message.value as never);
        else pending?.reject(errorOf(message.fault));
        return;
      }
      case "ping":
        return port.post({ kind: "pong" });
      case "dropped":
        // One of several messages that an engine did not know what to do with: the first one suffices.
        if (this.#isWelcome) this.#sayHello(port);
        return;
      case "ended":
        return this.#end(message.reason);
      case "outdated":
        return this.#end("OUTDATED");
    }
  }

  /** Shows the stored first screen, unless the engine was faster or the session is over. */
  #showFirst({ home, viewer }: FirstScreen): void {
    if (this.#isOver) return;
    const shown = Object.entries({ home, viewer }).filter(([key]) => !this.#views.has(key as ViewKey));
    for (const [key, view] of shown) this.#first.set(key as ViewKey, view);
    for (const [key] of shown) this.#notify(key as ViewKey);
  }

  #show(changes: readonly [ViewKey, Change][]): void {
    const changed: ViewKey[] = [];
    for (const [key, change] of changes) {
      const before = this.#views.get(key) ?? this.#first.get(key);
      // The view was given up while the change was on its way.
      if (!this.#followed.has(key) || (before === undefined && !("whole" in change))) continue;
      // The whole view of another engine has equal rows: those that are here stay.
      const own = "whole" in change && before !== undefined ? difference(before, change.whole) : change;
      if (!own) continue;
      this.#views.set(key, apply(before, own));
      this.#first.delete(key);
      changed.push(key);
    }
    for (const key of changed) this.#notify(key);
  }

  #notify(key: ViewKey): void {
    for (const listener of [...(this.#listeners.get(key) ?? [])]) call(listener);
  }

  /** The session is over: nothing of it remains in the page but the reason. */
  #end(reason: string): void {
    if (this.#isOver) return;
    const status: Status = { phase: "ended", caughtUp: 0, retryAt: null, unsent: 0, reason };
    const keys = [...this.#views.keys(), ...this.#first.keys()];
    this.#views.clear();
    this.#first.clear();
    this.#views.set("status", status);
    for (const [number, { name, resolve }] of this.#commands) {
      if (name !== "logOut") continue;
      this.#commands.delete(number);
      resolve(undefined as never);
    }
    this.#leave(new StreamEnded(4403, reason));
    for (const key of new Set<ViewKey>([...keys, "status"])) this.#notify(key);
  }

  #leave(error: unknown): void {
    this.#isOver = true;
    for (const { reject } of this.#commands.values()) reject(error);
    this.#commands.clear();
    this.#port?.post({ kind: "bye" });
    this.#port?.close();
    this.#port = null;
    this.link.close();
  }
}

/** Calls a listener. Its error goes to the console and harms no other listener. */
function call(listener: () => void): void {
  try {
    listener();
  } catch (error) {
    (globalThis.reportError ?? throwLater)(error);
  }
}

/** Node.js has no `reportError`. */
function throwLater(error: unknown): void {
  queueMicrotask(() => {
    throw error;
  });
}

/** An ID that no other page has, also in pages without `crypto.randomUUID` (those served over plain HTTP). */
function randomId(): string {
  return Array.from(crypto.getRandomValues(new Uint32Array(4)), (part) => part.toString(36)).join("-");
}
