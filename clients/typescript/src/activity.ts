// The users who are typing, and their presence.

import type { Chunk, EphemeralItem } from "./chunk.js";

/** The presence of a user. */
export type PresenceOf = Omit<Extract<EphemeralItem, { __typename: "PresenceChanged" }>, "__typename">;

/** Typing and presence as of the last chunk. They come with `follow({ ephemeral: true })`. */
export class Activity {
  /** The IDs of the users who are typing, by the ID of the room. */
  readonly typing = new Map<string, readonly string[]>();
  /** The users who are not offline, by their ID. */
  readonly presence = new Map<string, PresenceOf>();

  /** Takes a chunk. The first one on a connection has the whole state, the others the changes. */
  take({ ephemeral = [], isFirst }: Pick<Chunk, "ephemeral" | "isFirst">): void {
    if (isFirst) this.clear();
    for (const item of ephemeral) {
      if (item.__typename === "TypingChanged") this.#setTyping(item.room.roomId, item.users.nodes);
      else if (item.__typename === "PresenceChanged") this.#setPresence(item);
    }
  }

  /** Forgets everything: after a sync, the next chunk brings it again. */
  clear(): void {
    this.typing.clear();
    this.presence.clear();
  }

  #setPresence(of: PresenceOf): void {
    if (of.presence === "OFFLINE") this.presence.delete(of.userId);
    else this.presence.set(of.userId, of);
  }

  #setTyping(roomId: string, users: readonly { userId: string }[]): void {
    if (users.length > 0) this.typing.set(roomId, users.map(({ userId }) => userId));
    else this.typing.delete(roomId);
  }
}
