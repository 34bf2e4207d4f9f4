// The target of the composer: a reply to a message, or a change of one; for each room and thread.

import { signal, type Signal } from "@preact/signals";
import type { EventId, RoomId, Row } from "rookery-client/store";

export type Target = { kind: "reply"; row: Row } | { kind: "edit"; row: Row };

const targets = new Map<string, Signal<Target | null>>();

export function targetOf(roomId: RoomId, thread: EventId | null): Signal<Target | null> {
  const key = `${roomId}/${thread ?? ""}`;
  let target = targets.get(key);
  if (!target) targets.set(key, (target = signal<Target | null>(null)));
  return target;
}
