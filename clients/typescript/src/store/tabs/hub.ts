// The engine's end of the tabs: pages come and go, and each gets the views that it subscribes to.
//
// **Invariant:** there is at most one engine, for one session. A later login of the browser replaces an earlier one: the
// earlier session is logged out, and its pages end.
// **Invariant:** a page that does not answer is forgotten. When it wakes up, it says hello again and repeats its commands.

import type { ViewKey } from "../contract.js";
import type { Engine, StartEngine } from "./engine.js";
import { Member, type Views } from "./member.js";
import { PROTOCOL, type PortOfHub, type Session, type ToHub } from "./protocol.js";

/** The time between two pings of a page. */
const PING_MS = 20_000;
/** A page is forgotten after this number of pings in a row without an answer. */
const SILENT_MAX = 3;
/** Most ended sessions that the hub remembers, to end pages that come late. */
const ENDED_MAX = 100;

export interface HubOptions {
  start: StartEngine;
  /** Settles when the hub may start an engine. */
  ready?: Promise<void> | undefined;
  /** A page of a later release has come: give way to an engine of that release. */
  onOutdated?: (() => void) | undefined;
  pingMs?: number | undefined;
}

interface Running extends Views {
  session: Session;
  engine: Engine;
  keys: Map<ViewKey, Set<Member>>;
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
    // An engine that has not started yet does not start any more.
    await this.#stop();
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
    const attach = async () => {
      if (!this.#members.has(member) || this.#isClosed) return;
      const running = await this.#serve(hello.session);
      if (typeof running === "string") this.#dismiss(member, running);
      else if (this.#members.has(member)) member.attach(running);
    };
    this.#turn = this.#turn.then(attach).catch((error) => this.#dismiss(member, String(error)));
  }

  /** The engine of the session, or the reason why it has none. */
  async #serve(session: Session): Promise<Running | string> {
    const ended = this.#ended.get(session.token);
    if (ended !== undefined) return ended;
    const running = this.#running;
    if (running?.session.token === session.token) return running;
    if (running && running.session.since >= session.since) return "REPLACED";
    if (running) {
      const logOut = running.engine.execute(`replaced:${session.token}`, "logOut", [], new AbortController().signal);
      this.#end(running, "REPLACED");
      await logOut.catch(() => {});
      await running.engine.close();
    }
    return this.#start(session);
  }

  #start(session: Session): Running {
    const engine = this.options.start(session);
    const keys: Running["keys"] = new Map();
    const join = (key: ViewKey, member: Member) => {
      let members = keys.get(key);
      if (!members) {
        const joined = new Set<Member>();
        keys.set(key, (members = joined));
        const leave = engine.subscribe(key, () => {
          for (const it of joined) it.changed(key);
        });
        leaves.set(key, leave);
      }
      members.add(member);
      return () => {
        members.delete(member);
        if (members.size > 0 || keys.get(key) !== members) return;
        keys.delete(key);
        leaves.get(key)?.();
        leaves.delete(key);
      };
    };
    const leaves = new Map<ViewKey, () => void>();
    const endSignals = engine.onSignal((signal) => {
      for (const member of this.#members) member.signal(signal);
    });
    const endStatus = engine.subscribe("status", () => {
      const status = engine.get("status");
      if (status?.phase === "ended") this.#over(running, status.reason ?? "ENDED");
    });
    const stop = () => {
      endSignals();
      endStatus();
    };
    const running: Running = { session, engine, keys, join, stop };
    this.#running = running;
    return running;
  }

  /** The engine says that its session is over. */
  #over(running: Running, reason: string): void {
    if (this.#running !== running) return;
    this.#end(running, reason);
    // The command that ended it still has to answer.
    this.#turn = this.#turn.then(() => running.engine.close()).catch(() => {});
  }

  #end(running: Running, reason: string): void {
    this.#running = null;
    running.stop();
    this.#ended.set(running.session.token, reason);
    const [oldest] = this.#ended.keys();
    if (this.#ended.size > ENDED_MAX && oldest !== undefined) this.#ended.delete(oldest);
    for (const member of [...this.#members]) if (member.token === running.session.token) this.#dismiss(member, reason);
  }

  async #stop(): Promise<void> {
    const running = this.#running;
    this.#running = null;
    running?.stop();
    await running?.engine.close();
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
