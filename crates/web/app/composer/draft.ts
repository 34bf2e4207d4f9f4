// The text that is typed and not sent: the store keeps that of each room; threads keep theirs while the page is open.
//
// Invariant: a page that is loaded again because it is outdated loses no text: what its engine did not take any more is in
// the `sessionStorage` of the tab until then.

import { ofTab } from "../state/local.js";
import { type Signal, useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { EventId, RoomId, Store } from "rookery-client/store";
import { session } from "../state/session.js";
import { targetOf } from "./target.js";

const PAUSE_MS = 300;
const THREADS_MAX = 100;
const inThreads = new Map<string, string>();

/** The place of a text that the engine did not take. */
const stashOf = (roomId: RoomId) => `rookery.draft ${session.peek()?.userId} ${roomId}`;

/** Keeps the text over the next load of the page, if the page is outdated. After a logout nothing stays. */
function stash(store: Store, roomId: RoomId, text: string): void {
  if (store.get("status")?.reason === "OUTDATED") ofTab.set(stashOf(roomId), text);
}

/** Takes the text that was kept so. */
function stashed(roomId: RoomId): string | null {
  const text = ofTab.get(stashOf(roomId));
  ofTab.remove(stashOf(roomId));
  return text;
}

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
      const now = kept;
      if (thread === null) void store.setDraft(roomId, now).catch(() => stash(store, roomId, now));
      else {
        if (inThreads.size >= THREADS_MAX) inThreads.clear();
        inThreads.set(thread, now);
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
    const found = thread === null ? stashed(roomId) : null;
    if (found !== null) [isKnown.value, text.value] = [true, found];
    return () => {
      end();
      removeEventListener("pagehide", keep);
      keep();
    };
  }, [store, roomId, thread]);
  return text;
}
