// Tells the room that the user is typing, while they are.

import { useEffect, useMemo } from "preact/hooks";
import type { RoomId, Store } from "rookery-client/store";

/** It is said again after this time, before the server forgets it. */
const AGAIN_MS = 15_000;
/** Without a key for this long, the user does not type any more. */
const IDLE_MS = 6000;

export function useTyping(store: Store, roomId: RoomId) {
  const typing = useMemo(() => new TypingNotice(store, roomId), [store, roomId]);
  useEffect(() => () => typing.typed(false), [typing]);
  return typing;
}

class TypingNotice {
  #saidAt: number | null = null;
  #idle: ReturnType<typeof setTimeout> | undefined;

  constructor(
    readonly store: Store,
    readonly roomId: RoomId,
  ) {}

  typed(isTyping: boolean) {
    clearTimeout(this.#idle);
    if (isTyping) this.#idle = setTimeout(() => this.typed(false), IDLE_MS);
    const isSaid = this.#saidAt !== null && (!isTyping || performance.now() - this.#saidAt < AGAIN_MS);
    if (isTyping === isSaid && isTyping) return;
    if (!isTyping && this.#saidAt === null) return;
    this.#saidAt = isTyping ? performance.now() : null;
    void this.store.setTyping(this.roomId, isTyping).catch(() => {});
  }
}
