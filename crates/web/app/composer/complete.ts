// Completion at the caret: `@na` offers members, `:na` offers emoji.

import type { Member } from "rookery-client/store";
import { localpart } from "../state/names.js";
import { EMOJI } from "./emoji.js";

export interface Choice {
  /** The text that a list shows and a screen reader says. */
  label: string;
  detail: string;
  /** The text that replaces the typed part. */
  text: string;
  userId: string | null;
}

/** The part of the text at the caret that asks for choices. */
export interface Asked {
  kind: "member" | "emoji";
  from: number;
  word: string;
}

const CHOICES_MAX = 8;

/** The word before the caret, if it begins with a mark. */
export function askedAt(text: string, caret: number): Asked | null {
  const found = /(?:^|[\s(])([@:])([\p{L}\p{N}_+.-]{0,40})$/u.exec(text.slice(0, caret));
  if (!found) return null;
  const [, mark, word] = found;
  if (mark === ":" && word!.length < 2) return null;
  return { kind: mark === "@" ? "member" : "emoji", from: caret - word!.length - 1, word: word! };
}

/** A word as it is compared: without accents and case. */
const folded = (text: string) => text.normalize("NFKD").replaceAll(/\p{M}/gu, "").toLowerCase();

/** Those that begin with the word come before those that contain it. */
function ranked<T>(all: readonly T[], word: string, names: (it: T) => readonly string[]): T[] {
  const wanted = folded(word);
  const rank = (it: T) => {
    const found = names(it).map((name) => folded(name).indexOf(wanted));
    return found.includes(0) ? 0 : found.some((at) => at > 0) ? 1 : 2;
  };
  const ranks = all.map((it) => [rank(it), it] as const).filter(([at]) => at < 2);
  return ranks.sort(([left], [right]) => left - right).map(([, it]) => it);
}

/** The name of a member in a message. */
export const mentionOf = (member: Member) => `@${member.displayName ?? localpart(member.userId)}`;

export function choices(asked: Asked, members: readonly Member[], viewerId: string | null): Choice[] {
  if (asked.kind === "emoji") {
    const found = ranked([...EMOJI], asked.word, ([name]) => [name]);
    const choice = ([name, emoji]: [string, string]) => ({ label: emoji, detail: `:${name}:`, text: `${emoji} `, userId: null });
    return found.slice(0, CHOICES_MAX).map(choice);
  }
  const others = members.filter((member) => member.userId !== viewerId && member.membership === "JOIN");
  const found = ranked(others, asked.word, (member) => [member.displayName ?? "", localpart(member.userId)]);
  return found.slice(0, CHOICES_MAX).map((member) => ({
    label: member.displayName ?? localpart(member.userId),
    detail: member.userId,
    text: `${mentionOf(member)} `,
    userId: member.userId,
  }));
}

/** The text with the choice in place of what was typed, and the caret after it. */
export function complete(text: string, caret: number, asked: Asked, choice: Choice): { text: string; caret: number } {
  const before = text.slice(0, asked.from) + choice.text;
  return { text: before + text.slice(caret), caret: before.length };
}

/** `:name:` as the emoji of that name. */
export function withEmoji(text: string): string {
  return text.replaceAll(/(?<![\p{L}\p{N}:]):([a-z0-9_+-]+):(?![\p{L}\p{N}])/gu, (whole, name: string) => EMOJI.get(name) ?? whole);
}

/** The members whom a text mentions, of those who were chosen from the list. */
export function mentioned(text: string, chosen: ReadonlyMap<string, string>): string[] {
  return [...chosen].filter(([, mention]) => text.includes(mention)).map(([userId]) => userId);
}
