// A storage in IndexedDB: one database for each device.
//
// Invariant: a commit is one transaction, so a page that is closed at any moment leaves the commits before it as a whole.

import type { Meta, RoomRecord, StoredEvent, Unsent } from "../core/records.js";
import type { Commit, Storage, Stored } from "./storage.js";

/** Raise it with each change of the object stores. */
const SCHEMA = 1;

const STORES = ["meta", "rooms", "events", "unsent", "commands"] as const;

/** Opens the database of a device when it is first needed. */
export class IndexedDBStorage implements Storage {
  #database: Promise<IDBDatabase> | null = null;
  #isErased = false;
  #wasOpen = false;

  constructor(
    private readonly name: string,
    private readonly factory: IDBFactory = indexedDB,
  ) {}

  async load(): Promise<Stored> {
    const transaction = (await this.#open()).transaction(["meta", "rooms", "unsent", "commands"]);
    const [meta, rooms, unsent, names, numbers] = await Promise.all([
      result<Meta | undefined>(transaction.objectStore("meta").get("meta")),
      result<RoomRecord[]>(transaction.objectStore("rooms").getAll()),
      result<Unsent[]>(transaction.objectStore("unsent").getAll()),
      result<string[]>(transaction.objectStore("commands").getAllKeys()),
      result<number[]>(transaction.objectStore("commands").getAll()),
    ]);
    return { meta: meta ?? null, rooms, unsent, commands: names.map((name, index) => [name, numbers[index] ?? 0]) };
  }

  async events(roomId: string): Promise<StoredEvent[]> {
    const transaction = (await this.#open()).transaction("events");
    return result<StoredEvent[]>(transaction.objectStore("events").getAll(ofRoom(roomId)));
  }

  async commit({ meta, rooms, cleared, events, unsent, commands, first }: Commit): Promise<void> {
    const transaction = (await this.#open()).transaction([...STORES], "readwrite");
    const store = (name: (typeof STORES)[number]) => transaction.objectStore(name);
    store("meta").put(meta, "meta");
    if (first) store("meta").put(first, "first");
    for (const roomId of cleared) store("events").delete(ofRoom(roomId));
    for (const [roomId, record] of rooms) put(store("rooms"), roomId, record);
    for (const [roomId, changed] of events) {
      for (const [eventId, event] of changed) put(store("events"), [roomId, eventId], event);
    }
    for (const [echoId, it] of unsent) put(store("unsent"), echoId, it);
    for (const [name, actionId] of commands) put(store("commands"), name, actionId);
    await ended(transaction);
  }

  async erase(): Promise<void> {
    this.#isErased = true;
    await this.close();
    const request = this.factory.deleteDatabase(this.name);
    await new Promise<void>((resolve, reject) => {
      request.onsuccess = () => resolve();
      request.onerror = () => reject(request.error);
    });
  }

  async close(): Promise<void> {
    const database = this.#database;
    this.#database = null;
    (await database?.catch(() => null))?.close();
  }

  #open(): Promise<IDBDatabase> {
    // To open it would make it again.
    if (this.#isErased) return Promise.reject(new DOMException("the database was erased", "InvalidStateError"));
    return (this.#database ??= new Promise((resolve, reject) => {
      const request = this.factory.open(this.name, SCHEMA);
      request.onupgradeneeded = () => {
        // The user has cleared the data of this site. A new database would have a part of the content alone.
        if (this.#wasOpen) return request.transaction?.abort();
        for (const name of STORES) request.result.createObjectStore(name);
      };
      request.onsuccess = () => {
        this.#wasOpen = true;
        // Another page erases the database, or has a later release of it.
        request.result.onversionchange = () => void this.close();
        resolve(request.result);
      };
      request.onerror = () => reject(request.error);
    }));
  }
}

function ofRoom(roomId: string): IDBKeyRange {
  return IDBKeyRange.bound([roomId], [roomId, []]);
}

function put(store: IDBObjectStore, key: IDBValidKey, value: unknown): void {
  if (value === null) store.delete(key);
  else store.put(value, key);
}

function result<T>(request: IDBRequest): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result as T);
    request.onerror = () => reject(request.error);
  });
}

function ended(transaction: IDBTransaction): Promise<void> {
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve();
    transaction.onabort = () => reject(transaction.error);
  });
}
