// The text that is typed and not sent: the store keeps that of each room; threads keep theirs while the page is open.

import { type Signal, useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { EventId, RoomId, Store } from "rookery-client/store";
import { targetOf } from "./target.js";

const PAUSE_MS = 300;
const THREADS_MAX = 100;
const inThreads = new Map<string, string>();

/** The text of the field. It begins with the draft once the store has it, unless something was typed before. */
export function useDraft(store: Store, roomId: RoomId, thread: EventId | null, draft: string | undefined): Signal<string> {
  const text = useSignal(thread === null ? (draft ?? "") : (inThreads.get(thread) ?? ""));
  const isKnown = useSignal(draft !== undefined);
  useEffect(() => {
    if (draft === undefined || isKnown.value || thread !== null) return;
    isKnown.value = true;
    if (text.value === "") text.value = draft;
  }, [draft]);
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    let kept: string | null = null;
    const keep = () => {
      clearTimeout(timer);
      timer = undefined;
      // A text that is typed over an old message is no draft.
      if (kept === null || targetOf(roomId, thread).peek()?.kind === "edit") return;
      if (thread === null) void store.setDraft(roomId, kept).catch(() => {});
      else {
        if (inThreads.size >= THREADS_MAX) inThreads.clear();
        inThreads.set(thread, kept);
      }
      kept = null;
    };
    let isFirst = true;
    const end = text.subscribe((now) => {
      if (isFirst) return void (isFirst = false);
      kept = now;
      // A sent text must not come back, whenever the page ends.
      if (now === "") keep();
      else timer ??= setTimeout(keep, PAUSE_MS);
    });
    addEventListener("pagehide", keep);
    return () => {
      end();
      removeEventListener("pagehide", keep);
      keep();
    };
  }, [store, roomId, thread]);
  return text;
}
