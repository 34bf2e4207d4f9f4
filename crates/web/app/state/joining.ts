// Joining by a link: someone who came with one, and registered for it, is asked nothing more. Rooms of other servers are
// named by an address, or by an ID together with servers that are in them.

import type { RemoteAction } from "rookery-client/store";
import type { RoomCardFragment } from "../generated.js";
import { useView } from "./store.js";

let isWanted = false;

/** The next room that the reader opens is joined at once. */
export function joinAfterLogin(): void {
  isWanted = true;
}

/** Whether the room of now was opened for joining. It is true once. */
export function takeWish(): boolean {
  const wanted = isWanted;
  isWanted = false;
  return wanted;
}

/** What directories said about rooms that this server does not know, by the place that leads to each. */
const seen = new Map<string, RoomCardFragment>();
const SEEN_MAX = 200;

/** Remembers what a directory said about the room at a place. */
export function see(place: string, room: RoomCardFragment): void {
  const [oldest] = seen.keys();
  if (seen.size >= SEEN_MAX && oldest !== undefined) seen.delete(oldest);
  seen.set(place, room);
}

export const seenAt = (place: string): RoomCardFragment | null => seen.get(place) ?? null;

const VIA_MAX = 5;

/** The servers to join a room through: those that its link names, and that of its ID. */
export function serversFor(place: string): string[] {
  const named = new URLSearchParams(location.search).getAll("via");
  const own = place.startsWith("!") ? place.split(":").slice(1).join(":") : "";
  return [...new Set([...named, own])].filter((name) => name !== "").slice(0, VIA_MAX);
}

/** The last join, or request to join, of a room that other servers have not answered or have refused. */
export function useWaiting(place: string): RemoteAction | null {
  const actions = useView("remoteActions") ?? [];
  return actions.findLast((it) => it.kind !== "INVITE" && (it.roomId === place || it.alias === place)) ?? null;
}
