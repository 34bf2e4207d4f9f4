// One page, as the hub sees it: what it subscribes to, what was sent to it last, and its commands.
//
// **Invariant:** at most one batch is on its way. Further changes wait as the set of their keys, and signals up to a bound.
// **Invariant:** a message before the welcome waits for it; the number of such messages is bounded.

import type { Signal, ViewKey } from "../contract.js";
import { difference, type Change } from "./changes.js";
import type { HubEngine } from "./engine.js";
import { faultOf } from "./faults.js";
import type { PortOfHub, ToHub } from "./protocol.js";

/** Most views of a page. */
export const KEYS_MAX = 1_000;
/** Most commands of a page that have no answer. */
export const COMMANDS_MAX = 1_000;
/** Most messages of a page before its welcome. */
export const EARLY_MAX = 4_000;
/** Most signals of calls that wait for a page. */
export const SIGNALS_MAX = 1_000;

/** The engine, and a way to hear of changes. */
export interface Watched {
  engine: HubEngine;
  /** Begins to call `member.changed(key)`; returns the function that ends it. */
  follow(key: ViewKey, member: Member): () => void;
}

export class Member {
  pageId: string | null = null;
  /** The token of its session. */
  token: string | null = null;
  /** Rounds of pings without any message of the page. */
  silent = 0;
  #watched: Watched | null = null;
  #early: ToHub[] = [];
  readonly #leave = new Map<ViewKey, () => void>();
  /** The view that the page has, by key. */
  readonly #sent = new Map<ViewKey, unknown>();
  readonly #changed = new Set<ViewKey>();
  #signals: Signal[] = [];
  readonly #commands = new Map<number, AbortController>();
  #batch = 0;
  #isOnItsWay = false;
  #isScheduled = false;

  /** `drop` forgets this member. */
  constructor(
    readonly port: PortOfHub,
    private readonly drop: (member: Member) => void,
  ) {}

  /** Begins to serve the page. */
  attach(watched: Watched): void {
    this.#watched = watched;
    this.port.post({ kind: "welcome" });
    for (const message of this.#early.splice(0)) this.take(message);
  }

  /** Ends everything that the page asked for. Commands that run go on: the page may repeat them. */
  detach(): void {
    for (const leave of this.#leave.values()) leave();
    this.#leave.clear();
    this.#sent.clear();
    this.#changed.clear();
    this.#commands.clear();
    this.#signals = [];
    this.#early = [];
    this.#isOnItsWay = false;
    this.#watched = null;
  }

  /** Takes a message of the page. */
  take(message: ToHub): void {
    if (!this.#watched) {
      if (this.#early.push(message) > EARLY_MAX) this.drop(this);
      return;
    }
    switch (message.kind) {
      case "subscribe":
        return this.#subscribe(message.key, this.#watched);
      case "unsubscribe":
        return this.#unsubscribe(message.key);
      case "command":
        return this.#run(message, this.#watched);
      case "cancel":
        return this.#commands.get(message.number)?.abort();
      case "took":
        if (message.batch === this.#batch) this.#isOnItsWay = false;
        return this.#schedule();
    }
  }

  /** A view has changed. */
  changed(key: ViewKey): void {
    this.#changed.add(key);
    this.#schedule();
  }

  /** A signal of a call has come. */
  signal(signal: Signal): void {
    if (this.#signals.push(signal) > SIGNALS_MAX) return this.drop(this);
    this.#schedule();
  }

  #subscribe(key: ViewKey, watched: Watched): void {
    if (this.#leave.has(key)) return;
    if (this.#leave.size >= KEYS_MAX) return this.drop(this);
    this.#leave.set(key, watched.follow(key, this));
    this.changed(key);
  }

  #unsubscribe(key: ViewKey): void {
    this.#leave.get(key)?.();
    this.#leave.delete(key);
    this.#sent.delete(key);
    this.#changed.delete(key);
  }

  #run({ number, name, given }: Extract<ToHub, { kind: "command" }>, { engine }: Watched): void {
    if (this.#commands.has(number)) return;
    const ending = new AbortController();
    this.#commands.set(number, ending);
    const answer = (message: Parameters<PortOfHub["post"]>[0]) => {
      if (this.#commands.get(number) !== ending) return;
      this.#commands.delete(number);
      this.port.post(message);
    };
    const run = async () => {
      if (this.#commands.size > COMMANDS_MAX) throw new RangeError("too many commands of this page wait for their answers");
      return engine.execute(`${this.pageId}:${number}`, name, given, ending.signal);
    };
    run().then(
      (value) => answer({ kind: "answer", number, value }),
      (error) => answer({ kind: "failure", number, fault: faultOf(error) }),
    );
  }

  /** Sends a batch after the changes that happen together. */
  #schedule(): void {
    if (this.#isOnItsWay || this.#isScheduled) return;
    if (this.#changed.size === 0 && this.#signals.length === 0) return;
    this.#isScheduled = true;
    queueMicrotask(() => {
      this.#isScheduled = false;
      this.#flush();
    });
  }

  #flush(): void {
    if (!this.#watched || this.#isOnItsWay) return;
    const changes: [ViewKey, Change][] = [];
    for (const key of this.#changed) {
      const view = this.#watched.engine.view(key);
      if (view === undefined) continue;
      const change = this.#sent.has(key) ? difference(this.#sent.get(key), view) : { whole: view };
      this.#sent.set(key, view);
      if (change) changes.push([key, change]);
    }
    this.#changed.clear();
    const signals = this.#signals.splice(0);
    if (changes.length === 0 && signals.length === 0) return;
    this.#isOnItsWay = true;
    this.port.post({ kind: "views", batch: ++this.#batch, changes, signals });
  }
}
