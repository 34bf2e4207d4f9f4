// The connection of the engine: the first screen, the stream that continues it, and their status.
//
// Invariant: a chunk is folded when the one before it is, and the stream resumes after the last folded chunk.

import { pause, type Wait } from "../../backoff.js";
import { RequestFailed, StreamEnded } from "../../errors.js";
import { follow } from "../../stream.js";
import type { Status } from "../contract.js";
import type { Core } from "../core/core.js";
import type { WireChunk, WireHome } from "../core/wire.js";
import { HomeDocument, StoreFollowDocument, ViewerDocument } from "../generated.js";
import type { Server } from "./server.js";

/** Rooms on the first page of the first screen, and on the others. */
const FIRST_ROOMS = 20;
const ROOMS = 100;
/** Events of each room on these pages. */
const FIRST_EVENTS = 10;
const EVENTS = 1;
/** The stream has caught up when nothing came for this time, in milliseconds. */
const SILENCE_MS = 250;
/** The pause after an error that a retry does not solve soon, such as a proxy that lets no sockets through. */
const FAULT_WAIT_MS = 30_000;

export interface ConnectionOptions {
  url: string;
  token: string;
  webSocket: unknown;
  wait: Wait | undefined;
  resyncAfter: number;
  now: () => number;
}

/** The parts of its engine that a connection needs. */
export interface ConnectionHost {
  core: Core;
  server: Server;
  /** Folds a chunk. Resolves when it is stored. */
  take(chunk: WireChunk): Promise<void>;
  /** Tells the pages what has changed, and stores it. */
  changed(): Promise<void>;
  ended(reason: string): void;
}

export class Connection {
  status: Omit<Status, "unsent"> = { phase: "connecting", caughtUp: 0, retryAt: null, reason: null };
  #silence: ReturnType<typeof setTimeout> | undefined;
  #wake = () => {};

  constructor(
    private readonly host: ConnectionHost,
    private readonly options: ConnectionOptions,
  ) {}

  /** Runs until the signal is aborted or the session is over. */
  async run(): Promise<void> {
    const { core, server: { signal } } = this.host;
    const { resyncAfter, now } = this.options;
    if (now() - core.meta.savedAt > resyncAfter && core.meta.position !== null) core.outdate();
    const online = () => this.#wake();
    globalThis.addEventListener?.("online", online);
    while (!signal.aborted && this.status.phase !== "ended") {
      try {
        await this.#follow();
      } catch (error) {
        if (signal.aborted) break;
        if (isOver(error)) this.host.ended(reasonOf(error));
        else await this.#pause(1, signal, FAULT_WAIT_MS, reasonOf(error)).catch(() => {});
      }
    }
    globalThis.removeEventListener?.("online", online);
    clearTimeout(this.#silence);
  }

  async #follow(): Promise<void> {
    const { core, server: { signal } } = this.host;
    const { url, token, webSocket } = this.options;
    const wait: Wait = (attempt, ending) => this.#pause(attempt, ending);
    if (core.meta.isOutdated) await this.#sync(true);
    else if (core.meta.next !== null) await this.#sync(false);
    const context = { url, token, webSocket, wait, signal };
    const chunks = follow<WireChunk>(context, {
      after: core.meta.position ?? undefined,
      sync: () => this.#sync(true),
      query: String(StoreFollowDocument),
      filter: { conditions: { includeLate: true } },
    });
    for await (const chunk of chunks) {
      if (chunk.isFirst) this.#connected();
      await this.host.take(chunk);
      if (core.meta.isOutdated) return;
      if (this.status.phase === "catchingUp") this.#caughtUp(chunk.events.length);
    }
  }

  /** Reads the first screen, or the pages of it that are missing. Returns the position of it. */
  async #sync(isFresh: boolean): Promise<string> {
    const { core, server } = this.host;
    const wait: Wait = (attempt, ending) => this.#pause(attempt, ending);
    let after = isFresh ? null : core.meta.next;
    for (let isFirst = isFresh; ; isFirst = false) {
      const sizes = isFirst ? { first: FIRST_ROOMS, timeline: FIRST_EVENTS } : { first: ROOMS, timeline: EVENTS };
      let home: WireHome;
      try {
        home = (await server.ask(HomeDocument, { me: core.me, after, ...sizes }, { wait })) as WireHome;
      } catch (error) {
        // The place of the next page is of another log.
        if (!isFresh && !isFirst && error instanceof RequestFailed && error.code !== "UNAUTHENTICATED") return this.#sync(true);
        throw error;
      }
      core.takeHome(home, isFirst);
      await this.host.changed();
      after = home.initialSync.next;
      if (after === null) return home.initialSync.position;
    }
  }

  #connected(): void {
    this.host.core.setOnline(true);
    this.#set({ phase: "catchingUp", caughtUp: 0, retryAt: null, reason: null });
    const { core, server } = this.host;
    // The stream says neither what the viewer is nor whom they call.
    server.ask(ViewerDocument, {}).then(
      ({ viewer }) => {
        if (viewer) core.takeViewer(viewer);
        return this.host.changed();
      },
      () => {},
    );
  }

  #caughtUp(events: number): void {
    this.#set({ ...this.status, caughtUp: this.status.caughtUp + events });
    clearTimeout(this.#silence);
    const end = () => {
      if (this.status.phase !== "catchingUp") return;
      this.#set({ ...this.status, phase: "live" });
      void this.host.changed();
    };
    if (events === 0) end();
    else this.#silence = setTimeout(end, SILENCE_MS);
  }

  /** The pause between tries: the connection is gone meanwhile. */
  async #pause(attempt: number, signal: AbortSignal, longerMs = 0, reason: string | null = null): Promise<void> {
    clearTimeout(this.#silence);
    this.host.core.setOnline(false);
    const ending = new AbortController();
    const woken = new Promise<void>((resolve) => (this.#wake = resolve));
    const wait = this.options.wait ?? ((attempt, signal) => {
      const waitMs = Math.max(longerMs, Math.min(30_000, 250 * 2 ** attempt) * (0.5 + Math.random() / 2));
      this.#set({ phase: "offline", caughtUp: 0, retryAt: this.options.now() + waitMs, reason });
      return pause(() => Promise.resolve(), 1, signal, waitMs);
    });
    this.#set({ phase: "offline", caughtUp: 0, retryAt: null, reason });
    const waiting = wait(attempt, AbortSignal.any([signal, ending.signal]));
    void this.host.changed();
    await Promise.race([waiting, woken]);
    ending.abort();
    this.#set({ ...this.status, retryAt: null });
  }

  /** Says that the session is over. */
  end(reason: string): void {
    this.#set({ phase: "ended", caughtUp: 0, retryAt: null, reason });
  }

  #set(status: Omit<Status, "unsent">): void {
    if (this.status.phase === "ended") return;
    this.status = status;
    this.host.core.touch("status");
  }
}

/** Whether the error says that the session is over. */
export function isOver(error: unknown): boolean {
  return (error instanceof StreamEnded && error.code === 4403) || (error instanceof RequestFailed && error.code === "UNAUTHENTICATED");
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
