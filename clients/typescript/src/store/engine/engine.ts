// The engine of a device: it has the socket, the database and the action numbers. Pages hold a `Store` on it.
//
// Invariant: one engine for each device runs at a time. The code that opens it sees to that: see `tabs/`.
// Invariant: listeners run after a change is folded as a whole.

import { backOff, type Wait } from "../../backoff.js";
import { either } from "../../document.js";
import type { Draft, RoomId, Signal, Status, Store, ViewKey, Views, Wire } from "../contract.js";
import type { Core } from "../core/core.js";
import { firstScreen } from "../core/first.js";
import { isEqual } from "../core/plain.js";
import type { FirstScreen } from "../core/records.js";
import type { Room } from "../core/room.js";
import { split, ViewCache } from "../core/views.js";
import type { WireChunk } from "../core/wire.js";
import { StoreLogOutDocument, StoreMarkReadDocument, StoreSetPresenceDocument, StoreSetTypingDocument } from "../generated.js";
import { IndexedDBStorage } from "../storage/indexeddb.js";
import { MemoryStorage } from "../storage/memory.js";
import { databaseName } from "../storage/name.js";
import type { Storage } from "../storage/storage.js";
import { Connection, isOver } from "./connection.js";
import { contentOf, inputOf } from "./drafts.js";
import { Keeper } from "./keeper.js";
import { Loader } from "./loader.js";
import { Outbox } from "./outbox.js";
import { Server } from "./server.js";

/** A login, as `logIn` and `register` return it. */
export interface Session {
  /** Address of the server. */
  url: string;
  token: string;
  userId: string;
  deviceId: string;
}

/** The commands: what a {@link Store} does beside reading. */
export type CommandName = Exclude<keyof Store, "get" | "subscribe" | "onSignal" | "close">;

/** The store of a device, in the thread that runs it. */
export interface Engine {
  /** The view as of now. `undefined` while its content is not loaded: see {@link watch}. */
  view<K extends ViewKey>(key: K): Views[K] | undefined;
  /** Says that a page shows a view: its content is loaded, and stays in memory. Returns the function that ends it. */
  watch(key: ViewKey): () => void;
  /** Calls `listener` after each change with the keys of all views that may have changed. Returns the function that ends it. */
  onChange(listener: (keys: ReadonlySet<ViewKey>) => void): () => void;
  /** Calls `listener` for each signal of a call. Returns the function that ends it. */
  onSignal(listener: (signal: Signal) => void): () => void;
  /**
   * Runs a command with its arguments, under an ID that no other command has. Documents come as text. Actions get their
   * numbers in the order of the calls.
   *
   * A command that comes again happens once, also after the engine was killed and started again: a page repeats a command
   * whose answer it did not get. The engine stores the ID with the number of the action before it sends the action, and
   * then repeats the action under its number.
   */
  execute(commandId: string, name: CommandName, given: readonly unknown[], signal?: AbortSignal): Promise<unknown>;
  /** Ends the engine. The promise resolves when the storage has everything and is closed. */
  close(): Promise<void>;
}

/** The parts of an engine; each has a default. */
export interface EngineOptions {
  /** The content of the device: an {@link IndexedDBStorage} where there is IndexedDB, otherwise a {@link MemoryStorage}. */
  storage?: Storage | undefined;
  /** The class `WebSocket`; needed on Node.js before version 22. */
  webSocket?: unknown;
  /** The pauses between retries. */
  wait?: Wait | undefined;
  /** After this time without a connection the engine reads the first screen again, in milliseconds; a day by default. */
  resyncAfter?: number | undefined;
}

const DAY_MS = 24 * 60 * 60 * 1000;
/** A timeline with fewer rows than this gets a page when it is shown. */
const ROWS_MIN = 20;
/** How long the news that somebody types waits for the server. */
const TYPING_MS = 5_000;
/** How long a logout waits for the server. */
const LOG_OUT_MS = 5_000;

type Commands = { [Name in CommandName]: (command: string, given: Parameters<Store[Name]>, signal: AbortSignal) => Promise<unknown> };

/** Starts the engine of a device. Resolves when what the device has stored can be shown. */
export async function startEngine(session: Session, options: EngineOptions = {}): Promise<Engine> {
  const engine = new DeviceEngine(session, options);
  await engine.loaded();
  return engine;
}

export class DeviceEngine implements Engine {
  readonly #ending = new AbortController();
  readonly #keeper: Keeper;
  readonly #server: Server;
  readonly #watched = new Map<ViewKey, number>();
  readonly #listeners = new Set<(keys: ReadonlySet<ViewKey>) => void>();
  readonly #signalListeners = new Set<(signal: Signal) => void>();
  readonly #ready: Promise<Parts>;
  #parts: Parts | null = null;
  #status: Status = { phase: "connecting", caughtUp: 0, retryAt: null, unsent: 0, reason: null };
  #running: Promise<void>;
  /** Resolves when the number of the last action is known. */
  #counted: Promise<void>;
  #isCounted = () => {};
  /** The rooms about which the server is being told what is read. */
  readonly #reading = new Set<RoomId>();
  /** The first screen that was stored last. */
  #first: FirstScreen | null = null;
  #isFirstChanged = false;
  /** The rooms that have got their first page since the engine runs. */
  readonly #begun = new WeakSet<Room>();
  #presence: { presence: Wire.Presence } | null = null;
  /** A logout of this device is on its way: the stream may end before the answer comes. */
  #isLeaving = false;
  #isErased = false;
  #erasing: Promise<void> = Promise.resolve();

  constructor(
    private readonly session: Session,
    private readonly options: EngineOptions,
  ) {
    const { url, token } = session;
    const wait = options.wait ?? backOff;
    this.#keeper = new Keeper(options.storage ?? defaultStorage(session));
    this.#server = new Server({ url, token }, wait, this.#ending.signal);
    this.#counted = new Promise((resolve) => (this.#isCounted = resolve));
    this.#ready = this.#load();
    this.#running = this.#run();
  }

  view<K extends ViewKey>(key: K): Views[K] | undefined {
    if (key === "status") return this.#status as Views[K];
    return this.#parts?.views.get(key);
  }

  watch(key: ViewKey): () => void {
    const watched = this.#watched.get(key) ?? 0;
    this.#watched.set(key, watched + 1);
    if (watched === 0) void this.#ready.then(() => this.#show(key)).catch(() => {});
    let isWatching = true;
    return () => {
      if (!isWatching) return;
      isWatching = false;
      const left = (this.#watched.get(key) ?? 1) - 1;
      if (left > 0) return void this.#watched.set(key, left);
      this.#watched.delete(key);
      this.#parts?.views.forget(key);
    };
  }

  onChange(listener: (keys: ReadonlySet<ViewKey>) => void): () => void {
    const own = (keys: ReadonlySet<ViewKey>) => listener(keys);
    this.#listeners.add(own);
    return () => this.#listeners.delete(own);
  }

  onSignal(listener: (signal: Signal) => void): () => void {
    const own = (signal: Signal) => listener(signal);
    this.#signalListeners.add(own);
    return () => this.#signalListeners.delete(own);
  }

  async execute(commandId: string, name: CommandName, given: readonly unknown[], stop?: AbortSignal): Promise<unknown> {
    await this.#ready;
    if (this.#status.phase === "ended" && name !== "logOut") throw new DOMException("the session is over", "AbortError");
    const command = this.#commands[name] as (command: string, given: readonly unknown[], signal: AbortSignal) => Promise<unknown>;
    if (!command) throw new TypeError(`there is no command ${name}`);
    try {
      return await command(commandId, given, either(this.#ending.signal, stop));
    } catch (error) {
      if (isOver(error)) this.#end("UNAUTHENTICATED");
      throw error;
    }
  }

  /** Ends the engine. Resolves when everything is stored. */
  async close(): Promise<void> {
    const parts = await this.#ready.catch(() => null);
    this.#ending.abort();
    await this.#running.catch(() => {});
    if (this.#isErased) await this.#erasing;
    else await this.#keeper.close(parts?.core ?? null);
  }

  /** Resolves when what is stored can be shown. */
  async loaded(): Promise<void> {
    await this.#ready;
  }

  /** Resolves when nothing that the stream brought waits for an answer of the server. For tests. */
  async settled(): Promise<void> {
    await (await this.#ready).loader.settled();
  }

  async #load(): Promise<Parts> {
    const core = await this.#keeper.load(this.session.userId);
    const host = {
      core,
      server: this.#server,
      changed: () => this.#changed(),
      loadRoom: (room: Room) => this.#keeper.loadRoom(room),
      take: (chunk: WireChunk) => this.#take(chunk),
      ended: (reason: string) => this.#end(reason),
    };
    const { resyncAfter = DAY_MS, webSocket, wait } = this.options;
    const { url, token } = this.session;
    const connection = new Connection(host, { url, token, webSocket, wait, resyncAfter, now: Date.now });
    const parts = { core, views: new ViewCache(core), loader: new Loader(host), outbox: new Outbox(host), connection };
    this.#parts = parts;
    core.touch(...this.#watched.keys(), "home", "viewer");
    if (core.meta.lastActionId !== null) this.#isCounted();
    parts.outbox.start();
    for (const room of core.rooms.values()) {
      if (room.record.isStale) parts.loader.refresh(room);
      if (room.record.toRead !== undefined) void this.#tellRead(core, room.roomId).catch((error) => isOver(error) && this.#end("UNAUTHENTICATED"));
    }
    void this.#changed();
    return parts;
  }

  async #run(): Promise<void> {
    const { connection } = await this.#ready;
    await connection.run();
  }

  async #take(chunk: WireChunk): Promise<void> {
    const { core, loader } = await this.#ready;
    const rooms = [...core.roomsOf(chunk)].map((roomId) => core.rooms.get(roomId)).filter((room) => room !== undefined);
    await Promise.all(rooms.map((room) => this.#keeper.loadRoom(room)));
    if (this.#ending.signal.aborted) return;
    const { signals } = core.takeChunk(chunk);
    for (const room of rooms) if (core.rooms.get(room.roomId) === room) loader.refresh(room);
    for (const signal of signals) for (const listener of [...this.#signalListeners]) listener(signal);
    if (chunk.isFirst && this.#presence) void this.#server.ask(StoreSetPresenceDocument, { input: this.#presence }).catch(() => {});
    // A device that stores more slowly than the stream comes stops it here.
    await this.#changed();
  }

  /** Tells the pages what has changed. Resolves when it is stored. */
  #changed(): Promise<void> {
    const parts = this.#parts;
    if (!parts || this.#isErased) return Promise.resolve();
    const { core, views, connection, loader } = parts;
    if (core.meta.lastActionId !== null) this.#isCounted();
    const unsent = [...core.unsent.values()].filter(({ refusal, eventId }) => !refusal && eventId === null).length;
    const status: Status = { ...connection.status, unsent };
    if (JSON.stringify(status) !== JSON.stringify(this.#status)) this.#status = status;
    else core.touched.delete("status");
    const keys = new Set(core.touched);
    core.touched.clear();
    views.outdate(keys);
    for (const roomId of core.unsaved.rooms) {
      const room = core.rooms.get(roomId);
      if (room) loader.refresh(room);
    }
    this.#isFirstChanged ||= keys.has("home") || keys.has("viewer");
    const stored = this.#keeper.save(core, this.#takeFirst);
    this.#tell(keys);
    for (const key of keys) if (this.#watched.has(key) && key.startsWith("timeline:")) void this.#show(key).catch(() => {});
    void this.#keeper.trim(core, (roomId) => this.#isShown(roomId));
    return stored;
  }

  /** The first screen, if it is not stored as it is now. */
  readonly #takeFirst = (): FirstScreen | null => {
    const home = this.#isFirstChanged ? this.view("home") : undefined;
    this.#isFirstChanged = false;
    if (!home?.isLoaded) return null;
    const first = firstScreen(home, this.view("viewer") ?? null);
    if (isEqual(first, this.#first)) return null;
    return (this.#first = first);
  };

  #tell(keys: ReadonlySet<ViewKey>): void {
    if (keys.size === 0) return;
    for (const listener of [...this.#listeners]) {
      try {
        listener(keys);
      } catch (error) {
        // An error of one listener keeps nothing from the others.
        queueMicrotask(() => {
          throw error;
        });
      }
    }
  }

  #isShown(roomId: RoomId): boolean {
    return this.#watched.has(`timeline:${roomId}`);
  }

  /** Loads the content of a view that a page shows. */
  async #show(key: ViewKey): Promise<void> {
    const { core, loader } = await this.#ready;
    const [kind, id] = split(key);
    if (kind === "person" && this.view(key) === undefined) return loader.loadPerson(id);
    const roomId = kind === "thread" ? id.slice(0, id.indexOf("/")) : id;
    const room = core.rooms.get(roomId);
    if (!room) return;
    if (!room.isLoaded) {
      await this.#keeper.loadRoom(room);
      core.touch(key, `room:${roomId}`, "home");
      loader.refresh(room);
      await this.#changed();
    }
    if (kind !== "timeline") return;
    room.record.usedAt = Date.now();
    if (this.#begun.has(room) || this.#ending.signal.aborted) return;
    this.#begun.add(room);
    const { items, isStart } = room.live;
    if (!isStart && items.length < ROWS_MIN) await loader.loadPage(roomId, undefined, "before");
  }

  /** The session is over: nothing of it stays on the device. */
  #end(reason: string): void {
    const parts = this.#parts;
    if (!parts || this.#isErased) return;
    this.#isErased = true;
    parts.connection.end(this.#isLeaving ? "LOGGED_OUT" : reason);
    this.#status = { ...parts.connection.status, unsent: 0 };
    this.#ending.abort();
    this.#erasing = this.#keeper.erase().catch(() => {});
    this.#tell(new Set<ViewKey>(["status"]));
  }

  async #room(roomId: RoomId): Promise<Room | undefined> {
    const room = (await this.#ready).core.rooms.get(roomId);
    if (room) await this.#keeper.loadRoom(room);
    return room;
  }

  /** Sends a message under the next number, and returns its echo. */
  async #send(command: string, roomId: RoomId, draft: Draft, edits?: string) {
    const { outbox, views } = await this.#ready;
    await this.#counted;
    return views.echo(await outbox.queue(command, "send", inputOf(roomId, draft, edits), contentOf(draft, edits)));
  }

  async #perform(command: string, kind: "react" | "redact", input: { roomId: RoomId; [field: string]: unknown }): Promise<void> {
    const { outbox } = await this.#ready;
    await this.#counted;
    await outbox.perform(command, kind, input);
  }

  /** Marks the room as read up to an event. What the server was not told is stored, and told after a restart. */
  async #markRead(roomId: RoomId, eventId: string): Promise<void> {
    const [room, { core }] = [await this.#room(roomId), await this.#ready];
    if (!room) return;
    const end = room.endOf(eventId);
    const before = room.record.readUpTo;
    const isLater = before ? room.isAfter(end, before) : true;
    if (before === end || isLater === false) return;
    // If it is not known which one is later, the server decides.
    if (isLater) core.setReadUpTo(room, end, core.tick);
    core.setToRead(room, end);
    void this.#changed();
    await this.#tellRead(core, roomId);
  }

  /** Tells the server what is read; one request of a room at a time. */
  async #tellRead(core: Core, roomId: RoomId): Promise<void> {
    if (this.#reading.has(roomId)) return;
    this.#reading.add(roomId);
    try {
      for (let eventId; (eventId = core.rooms.get(roomId)?.record.toRead) !== undefined; ) {
        const { tick } = core;
        const { markRoomRead } = await this.#server.ask(StoreMarkReadDocument, { input: { roomId, eventId }, me: core.me });
        const room = core.rooms.get(roomId);
        if (room?.record.toRead !== eventId) continue;
        if (markRoomRead.room?.member) core.setReadUpTo(room, markRoomRead.room.member.readUpTo, tick);
        core.setToRead(room, undefined);
      }
    } catch (error) {
      const room = core.rooms.get(roomId);
      // The server does not take it: it would not take it after a restart either.
      if (room && !this.#ending.signal.aborted && !isOver(error)) core.setToRead(room, undefined);
      throw error;
    } finally {
      this.#reading.delete(roomId);
      void this.#changed();
    }
  }

  async #logOut(everywhere: boolean): Promise<void> {
    const late = AbortSignal.timeout(LOG_OUT_MS);
    const { connection } = await this.#ready;
    this.#isLeaving = true;
    try {
      // The stream ends by itself, with the close code of a session that is over.
      await this.#server.ask(StoreLogOutDocument, { input: { everywhere } }, { signal: late });
    } catch (error) {
      if (!isOver(error) && !late.aborted && !this.#ending.signal.aborted) {
        this.#isLeaving = false;
        throw error;
      }
    }
    if (connection.status.phase !== "ended") this.#end("LOGGED_OUT");
    await this.#erasing;
  }

  readonly #commands: Commands = {
    send: (command, [roomId, draft]) => this.#send(command, roomId, draft),
    edit: (command, [roomId, eventId, draft]) => this.#send(command, roomId, draft, eventId),
    react: (command, [roomId, eventId, key]) => this.#perform(command, "react", { roomId, eventId, key }),
    redact: (command, [roomId, eventId, reason]) => this.#perform(command, "redact", { roomId, eventId, ...(reason !== undefined && { reason }) }),
    unreact: async (command, [roomId, eventId, key]) => {
      const { loader } = await this.#ready;
      const reactions = await loader.ownReactions(roomId, eventId, key);
      await Promise.all(reactions.map((it, index) => this.#perform(`${command} ${index}`, "redact", { roomId, eventId: it })));
    },
    retry: async (_, [echoId]) => (await this.#ready).outbox.retry(echoId),
    discard: async (_, [echoId]) => (await this.#ready).outbox.discard(echoId),
    loadBefore: async (_, [roomId, eventId, count]) => (await this.#ready).loader.loadPage(roomId, eventId, "before", count),
    loadAfter: async (_, [roomId, eventId, count]) => (await this.#ready).loader.loadPage(roomId, eventId, "after", count),
    loadAround: async (_, [roomId, place]) => (await this.#ready).loader.loadAround(roomId, place),
    loadThread: async (_, [roomId, root]) => (await this.#ready).loader.loadThread(roomId, root),
    loadMembers: async (_, [roomId]) => (await this.#ready).loader.loadMembers(roomId),
    loadMoreMembers: async (_, [roomId]) => (await this.#ready).loader.loadMembers(roomId, true),
    markRead: (_, [roomId, eventId]) => this.#markRead(roomId, eventId),
    setTyping: async (_, [roomId, isTyping], signal) => {
      // Later it would be wrong.
      const late = AbortSignal.timeout(TYPING_MS);
      const sent = this.#server.ask(StoreSetTypingDocument, { input: { roomId, isTyping } }, { signal: AbortSignal.any([signal, late]) });
      await sent.catch((error) => {
        if (!late.aborted) throw error;
      });
    },
    setPresence: async (_, [presence, statusMessage], signal) => {
      this.#presence = presence === "ONLINE" ? null : { presence };
      const input = { presence, ...(statusMessage !== undefined && { statusMessage }) };
      await this.#server.ask(StoreSetPresenceDocument, { input }, { signal });
    },
    setDraft: async (_, [roomId, text]) => {
      const room = (await this.#ready).core.rooms.get(roomId);
      if (!room || room.record.draft === text) return;
      (await this.#ready).core.setDraft(room, text);
      await this.#changed();
    },
    query: (_, [document, variables], signal) => this.#server.ask(String(document), (variables ?? {}) as object, { signal }),
    run: async (command, [document, input], signal) => {
      const { outbox } = await this.#ready;
      await this.#counted;
      return outbox.run(command, String(document), input, signal);
    },
    dismissRemoteAction: async (_, [id]) => {
      (await this.#ready).core.dismiss(id);
      await this.#changed();
    },
    logOut: (_, [options]) => this.#logOut(options?.everywhere ?? false),
  };
}

interface Parts {
  core: Core;
  views: ViewCache;
  loader: Loader;
  outbox: Outbox;
  connection: Connection;
}

function defaultStorage(session: Session): Storage {
  return "indexedDB" in globalThis ? new IndexedDBStorage(databaseName(session)) : new MemoryStorage();
}
