// A picture of a user or of a room: their initials on a colour that follows from the ID.
//
// Invariant: it loads nothing. The server has no media, and other hosts are not allowed.

import { html } from "../html.js";

interface AvatarProps {
  /** Decides the colour. */
  id: string;
  name: string;
  size?: "small" | "normal" | "large";
  /** A dot for a user who is there. */
  presence?: "ONLINE" | "UNAVAILABLE" | "OFFLINE" | undefined;
  isRoom?: boolean;
}

const COLOURS = 8;

/** A number below `count` that depends on the text alone. */
function hash(text: string, count: number): number {
  let sum = 7;
  for (const sign of text) sum = (sum * 31 + sign.codePointAt(0)!) >>> 0;
  return sum % count;
}

/** The first letters of the first two words. */
export function initials(name: string): string {
  const words = name.replace(/^[@#!]/, "").split(/[\s:._-]+/u).filter((word) => /\p{L}|\p{N}/u.test(word));
  const letters = words.slice(0, 2).map((word) => /[\p{L}\p{N}]/u.exec(word)![0]);
  return letters.join("").toLocaleUpperCase() || "?";
}

export function Avatar({ id, name, size = "normal", presence, isRoom = false }: AvatarProps) {
  return html`<span class=${`avatar ${size} ${isRoom ? "of-room" : ""} c${hash(id, COLOURS)}`} aria-hidden="true">
    <span dir="auto">${initials(name)}</span>
    ${presence && presence !== "OFFLINE" && html`<span class=${`presence ${presence.toLowerCase()}`}></span>`}
  </span>`;
}
