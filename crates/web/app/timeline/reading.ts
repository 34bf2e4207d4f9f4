// Marks what the reader has seen as read.
//
// Invariant: only a row that was in view, in a visible page with the focus, is marked; the mark never goes back.

import type { Signal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import type { EventId, RoomDetail } from "rookery-client/store";
import type { Rows } from "./rows.js";

const PAUSE_MS = 400;

interface Reading {
  rows: Rows;
  detail: RoomDetail | null;
  visible: Signal<readonly [number, number]>;
  isThread: boolean;
}

export function useReading({ rows, detail, visible, isThread }: Reading) {
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const marked = useRef<EventId | null>(null);
  const known = useRef(detail);
  known.current = detail;
  useEffect(() => {
    if (isThread) return;
    const soon = () => {
      timer.current ??= setTimeout(() => {
        timer.current = undefined;
        mark();
      }, PAUSE_MS);
    };
    const mark = () => {
      if (!known.current || document.visibilityState !== "visible" || !document.hasFocus()) return;
      const eventId = lastSeen(rows, visible.peek()[1]);
      if (eventId === null || eventId === marked.current || !isLater(rows, eventId, known.current.readUpTo)) return;
      marked.current = eventId;
      void rows.store.markRead(rows.roomId, eventId).catch(() => (marked.current = null));
    };
    const end = visible.subscribe(soon);
    document.addEventListener("visibilitychange", soon);
    addEventListener("focus", soon);
    return () => {
      end();
      clearTimeout(timer.current);
      timer.current = undefined;
      document.removeEventListener("visibilitychange", soon);
      removeEventListener("focus", soon);
    };
  }, [rows, isThread]);
}

/** The last event that is in view, of those that new events follow. */
function lastSeen({ scroll, liveFrom }: Rows, last: number): EventId | null {
  for (let index = last; index >= Math.max(liveFrom, last - 20); index -= 1) {
    const item = scroll.items[index];
    if (item?.kind === "message" || item?.kind === "change") return item.row.eventId;
    if (item?.kind === "group") return item.rows.at(-1)!.eventId;
  }
  return null;
}

function isLater({ scroll }: Rows, eventId: EventId, readUpTo: EventId | null): boolean {
  const before = readUpTo === null ? undefined : scroll.indexOfEvent(readUpTo);
  return before === undefined || before < scroll.indexOfEvent(eventId)!;
}
