// The engine's end of the tabs: pages come and go, and each gets the views that it subscribes to.
//
// **Invariant:** there is at most one engine, for one session. A later login of the browser replaces an earlier one: the
// earlier session is logged out, and its pages end.
// **Invariant:** a page that does not answer is forgotten. When it wakes up, it says hello again and repeats its commands.

import type { ViewKey } from "../contract.js";
import type { HubEngine, StartEngine } from "./engine.js";
import { Member, type Watched } from "./member.js";
import { PROTOCOL, type PortOfHub, type SharedSession, type ToHub } from "./protocol.js";

/** The time between two pings of a page. */
const PING_MS = 20_000;
/** A page is forgotten after this number of pings in a row without an answer. */
const SILENT_MAX = 3;
/** The pause before an engine that did not start is started again; it doubles up to {@link LONGEST_MS}. */
const RETRY_MS = 1_000;
const LONGEST_MS = 30_000;
/** Most ended sessions that the hub remembers, to end pages that come late. */
const ENDED_MAX = 100;

export interface HubOptions {
  start: StartEngine;
  /** Settles when the hub may start an engine. */
  ready?: Promise<void> | undefined;
  /** A page of a later release has come: give way to an engine of that release. */
  onOutdated?: (() => void) | undefined;
  pingMs?: number | undefined;
  retryMs?: number | undefined;
}

/** An engine and the pages of its session. */
interface Running extends Watched {
  session: SharedSession;
  stop: () => void;
}

export class Hub {
  readonly #members = new Set<Member>();
  #running: Running | null = null;
  /** Changes of the engine happen one after another. */
  #turn: Promise<void>;
  /** The reason by token. */
  readonly #ended = new Map<string, string>();
  #pings: ReturnType<typeof setInterval> | undefined;
  #isClosed = false;

  constructor(private readonly options: HubOptions) {
    this.#turn = options.ready ?? Promise.resolve();
  }

  /** The number of pages. */
  get size(): number {
    return this.#members.size;
  }

  /** Serves the page at the other end of `port`. */
  accept(port: PortOfHub): void {
    let member = new Member(port, (it) => this.#drop(it));
    port.listen((message) => {
      if (this.#isClosed) return;
      member.silent = 0;
      if (message.kind === "hello") {
        // It may say hello again on the same port, after it was dropped.
        this.#forget(member);
        member = new Member(port, (it) => this.#drop(it));
        this.#greet(member, message);
      } else if (message.kind === "bye") this.#forget(member, true);
      else if (this.#members.has(member)) member.take(message);
      else if (message.kind !== "pong") port.post({ kind: "dropped" });
    });
    port.onGone(() => this.#forget(member, true));
  }

  /** Ends the engine without ending the session. Another hub may take over. */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (const member of [...this.#members]) this.#forget(member, true);
    const running = this.#running;
    this.#running = null;
    running?.stop();
    await running?.engine.close();
  }

  #greet(member: Member, hello: Extract<ToHub, { kind: "hello" }>): void {
    if (hello.protocol < PROTOCOL) return member.port.post({ kind: "outdated" });
    if (hello.protocol > PROTOCOL) {
      for (const { port } of this.#members) port.post({ kind: "outdated" });
      return this.options.onOutdated?.();
    }
    [member.pageId, member.token] = [hello.pageId, hello.session.token];
    for (const other of this.#members) if (other.pageId === hello.pageId) this.#forget(other);
    this.#members.add(member);
    this.#pings ??= setInterval(() => this.#ping(), this.options.pingMs ?? PING_MS);
    this.#attach(member, hello.session, this.options.retryMs ?? RETRY_MS);
  }

  /** Attaches the page to the engine of its session. The session goes on while an engine does not start. */
  #attach(member: Member, session: SharedSession, retryMs: number): void {
    const attach = async () => {
      if (!this.#members.has(member)) return;
      const running = await this.#serve(session);
      if (typeof running === "string") this.#dismiss(member, running);
      else if (this.#members.has(member) && running === this.#running) member.attach(running);
    };
    this.#turn = this.#turn.then(attach).catch((error) => {
      if (this.#isClosed) return;
      console.error(error);
      setTimeout(() => this.#attach(member, session, Math.min(LONGEST_MS, retryMs * 2)), retryMs);
    });
  }

  /** The engine of the session, or the reason why it has none. */
  async #serve(session: SharedSession): Promise<Running | string> {
    const ended = this.#ended.get(session.token);
    if (ended !== undefined) return ended;
    const running = this.#running;
    if (running?.session.token === session.token) return running;
    if (running && running.session.since >= session.since) return "REPLACED";
    if (running) {
      // The status of an engine that ends is not sent: it would end the pages with another reason.
      this.#end(running, "REPLACED");
      await running.engine.execute(`replaced:${session.token}`, "logOut", []).catch(() => {});
      await running.engine.close();
    }
    return this.#start(session);
  }

  async #start(session: SharedSession): Promise<Running> {
    const engine = await this.options.start(session);
    const followers = new Map<ViewKey, Set<Member>>();
    const stops = [
      engine.onSignal((signal) => {
        for (const member of [...this.#members]) member.signal(signal);
      }),
      engine.onChange((keys) => {
        for (const key of keys) for (const member of followers.get(key) ?? []) member.changed(key);
        if (keys.has("status")) this.#checkEnd(running);
      }),
      engine.watch("status"),
    ];
    const stop = () => stops.forEach((it) => it());
    const running: Running = { session, engine, stop, follow: (key, member) => follow(engine, followers, key, member) };
    if (this.#isClosed) {
      stop();
      await engine.close();
      throw new Error("the hub was closed");
    }
    this.#running = running;
    this.#checkEnd(running);
    return running;
  }

  /** Ends the pages if the engine says that its session is over. */
  #checkEnd(running: Running): void {
    const status = running.engine.view("status");
    if (status?.phase !== "ended" || this.#running !== running) return;
    this.#end(running, status.reason ?? "ENDED");
    this.#turn = this.#turn.then(() => running.engine.close()).catch((error) => console.error(error));
  }

  #end(running: Running, reason: string): void {
    this.#running = null;
    this.#ended.set(running.session.token, reason);
    const [oldest] = this.#ended.keys();
    if (this.#ended.size > ENDED_MAX && oldest !== undefined) this.#ended.delete(oldest);
    for (const member of [...this.#members]) if (member.token === running.session.token) this.#dismiss(member, reason);
    running.stop();
  }

  #dismiss(member: Member, reason: string): void {
    member.port.post({ kind: "ended", reason });
    this.#forget(member);
  }

  /** Forgets a page that takes too much or nothing. */
  #drop(member: Member): void {
    if (!this.#members.has(member)) return;
    this.#forget(member);
    member.port.post({ kind: "dropped" });
  }

  #forget(member: Member, isGone = false): void {
    if (this.#members.delete(member)) member.detach();
    if (isGone) member.port.close();
    if (this.#members.size > 0) return;
    clearInterval(this.#pings);
    this.#pings = undefined;
  }

  #ping(): void {
    for (const member of [...this.#members]) {
      if (member.silent++ >= SILENT_MAX) this.#drop(member);
      else member.port.post({ kind: "ping" });
    }
  }
}

/** Counts a follower of a view in, and returns the function that counts it out. */
function follow(engine: HubEngine, followers: Map<ViewKey, Set<Member>>, key: ViewKey, member: Member): () => void {
  const members = followers.get(key) ?? new Set();
  followers.set(key, members.add(member));
  const unwatch = engine.watch(key);
  return () => {
    members.delete(member);
    if (members.size === 0 && followers.get(key) === members) followers.delete(key);
    unwatch();
  };
}
