// The changes that the storage has to write.
//
// Invariant: at most `ROOM_EVENTS_MAX` events of a room are stored, those of the live segment first.

import type { Commit } from "../storage/storage.js";
import type { Core } from "./core.js";
import type { Item } from "./place.js";
import { recordOf } from "./place.js";
import type { FirstScreen, RoomRecord, StoredEvent } from "./records.js";
import { bytesOf, type Room } from "./room.js";
import { rowOf } from "./rows.js";

/** Most stored events of a room. */
export const ROOM_EVENTS_MAX = 1_000;

/** The changes since the last commit, with the first screen if it has changed; null if there are none. */
export function takeCommit(core: Core, now: number, takeFirst: () => FirstScreen | null = () => null): Commit | null {
  const { unsaved } = core;
  if (!unsaved.meta && unsaved.rooms.size + unsaved.cleared.size + unsaved.unsent.size + unsaved.commands.size === 0) return null;
  const meta = { ...core.meta, savedAt: now };
  const [rooms, events, unsent, commands]: [Commit["rooms"], Commit["events"], Commit["unsent"], Commit["commands"]] = [
    new Map(),
    new Map(),
    new Map(),
    new Map(),
  ];
  const commit: Commit = { meta, rooms, cleared: new Set(unsaved.cleared), events, unsent, commands, first: takeFirst() };
  for (const roomId of unsaved.rooms) {
    const room = core.rooms.get(roomId);
    if (!room) {
      rooms.set(roomId, null);
      continue;
    }
    const changed = room.isLoaded ? changedEvents(room) : null;
    if (changed && changed.size > 0) events.set(roomId, changed);
    rooms.set(roomId, recordOfRoom(room));
  }
  for (const echoId of unsaved.unsent) unsent.set(echoId, core.unsent.get(echoId) ?? null);
  for (const name of unsaved.commands) commands.set(name, core.commands.get(name) ?? null);
  for (const set of [unsaved.rooms, unsaved.cleared, unsaved.unsent, unsaved.commands]) set.clear();
  unsaved.meta = false;
  return commit;
}

/** How many items of the live segment are not stored; null if all segments are. */
function unstored({ segments, live }: Room): number | null {
  const all = segments.reduce((sum, { items }) => sum + items.length, 0);
  return all <= ROOM_EVENTS_MAX ? null : Math.max(0, live.items.length - ROOM_EVENTS_MAX);
}

function changedEvents(room: Room): Map<string, StoredEvent | null> {
  const cut = unstored(room);
  const kept: Item[] = cut === null ? room.segments.flatMap(({ items }) => items) : room.live.items.slice(cut);
  const events = new Map<string, StoredEvent | null>();
  const stored = new Map<string, number>();
  for (const item of kept) {
    const { eventId } = item.event;
    let bytes = room.stored.get(eventId);
    if (item.isChanged || bytes === undefined) {
      events.set(eventId, item.event);
      bytes = bytesOf(item.event);
    }
    item.isChanged = false;
    stored.set(eventId, bytes);
  }
  for (const eventId of room.stored.keys()) if (!stored.has(eventId)) events.set(eventId, null);
  room.stored = stored;
  room.record.bytes = [...stored.values()].reduce((sum, bytes) => sum + bytes, 0);
  room.record.count = stored.size;
  return events;
}

function recordOfRoom(room: Room): RoomRecord {
  const { record, names, receipts } = room;
  if (!room.isLoaded) return { ...record, receipts };
  const cut = unstored(room);
  const last = room.lastMessage();
  Object.assign(record, {
    names,
    receipts,
    segments: cut === null ? room.segments.map((it) => recordOf(it)) : [recordOf(room.live, cut)],
    last: last && last === room.last ? last.event : null,
    shown: last && rowOf(last, { roomId: record.roomId, names, relationsOf: (it) => room.relationsOf(it) }),
  });
  return { ...record };
}
