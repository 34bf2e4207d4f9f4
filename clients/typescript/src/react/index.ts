// Hooks for React on a store: components that show its views, and render again when a view changes.
//
// **Invariant:** a hook returns the same object while nothing changed, so `memo` and dependency lists work.

import { createContext, createElement, useCallback, useContext, useMemo, useSyncExternalStore, type ReactNode } from "react";
import type { Draft, Echo, PageResult, Person, RoomSummary, Status, Store, Timeline, ViewKey, Views } from "../store/contract.js";

const StoreContext = /* @__PURE__ */ createContext<Store | null>(null);

/** Gives the components below it a store. */
export function StoreProvider({ store, children }: { store: Store; children?: ReactNode }) {
  return createElement(StoreContext.Provider, { value: store }, children);
}

/**
 * The store of the provider above.
 *
 * @throws {Error} There is no provider.
 */
export function useStore(): Store {
  const store = useContext(StoreContext);
  if (!store) throw new Error("there is no StoreProvider above this component: wrap the application in one");
  return store;
}

/** Any view of the store; `undefined` until it is loaded. */
export function useView<K extends ViewKey>(key: K): Views[K] | undefined {
  const store = useStore();
  const subscribe = useCallback((listener: () => void) => store.subscribe(key, listener), [store, key]);
  return useSyncExternalStore(subscribe, () => store.get(key), () => undefined);
}

/** How the device is connected. */
export function useStatus(): Status | undefined {
  return useView("status");
}

/** The rooms of the user, those with the newest activity first. */
export function useRooms(): readonly RoomSummary[] {
  return useView("home")?.rooms ?? NONE;
}

/** The timeline of a room, and a way to its past. */
export interface RoomTimeline extends Timeline {
  isLoaded: boolean;
  /** Loads the page before the first row of the segment that has `eventId`; without it, of the live segment. */
  loadBefore: (eventId?: string, count?: number) => Promise<PageResult>;
}

/** The timeline of a room: segments of rows with a gap between each two, and messages that are on their way. */
export function useTimeline(roomId: string): RoomTimeline {
  const store = useStore();
  const timeline = useView(`timeline:${roomId}`);
  return useMemo(() => {
    const loadBefore = (eventId?: string, count?: number) => store.loadBefore(roomId, eventId, count);
    return { ...(timeline ?? { roomId, segments: NONE, echoes: NONE, closed: null }), isLoaded: !!timeline, loadBefore };
  }, [store, roomId, timeline]);
}

/** Sends messages to a room, once and in order; also while the device is offline. */
export function useSend(roomId: string): (message: string | Draft) => Promise<Echo> {
  const store = useStore();
  return useCallback(
    (message) => store.send(roomId, typeof message === "string" ? { body: message } : message),
    [store, roomId],
  );
}

/** A user with their presence; null or `undefined` while nothing is known about them. */
export function usePresence(userId: string): Person | null | undefined {
  return useView(`person:${userId}`);
}

const NONE: readonly never[] = [];
