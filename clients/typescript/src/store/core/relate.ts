// How events relate to others, by the rules of the server (crates/domain/src/events/relation.rs).
//
// Invariant: state events and redacted events relate to nothing.

import type { Json } from "../contract.js";
import type { StoredEvent } from "./records.js";

type JsonObject = { [key: string]: Json };

/** The relations of an event. */
export interface Relation {
  kind: "edit" | "reaction" | "thread" | "other" | null;
  /** The event that it edits, reacts to or continues. */
  target: string | null;
  /** The key of a reaction. */
  key: string;
  /** The event that it answers. */
  replyTo: string | null;
}

const NOTHING: Relation = { kind: null, target: null, key: "", replyTo: null };

/** Types of events that are steps of something else: they are no message of a room. */
const STEPS = new Set([
  "m.call.answer",
  "m.call.candidates",
  "m.call.hangup",
  "m.call.negotiate",
  "m.call.reject",
  "m.call.select_answer",
  "m.reaction",
  "m.room.redaction",
]);

const KINDS: Record<string, Relation["kind"]> = { "m.annotation": "reaction", "m.replace": "edit", "m.thread": "thread" };

/** The object, if it is one. */
export function objectOf(value: Json | undefined): JsonObject | null {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? value : null;
}

/** The text, if it is one. */
export function textOf(value: Json | undefined): string | null {
  return typeof value === "string" ? value : null;
}

/** The relations of an event. */
export function relationOf({ stateKey, content }: Pick<StoredEvent, "stateKey" | "content">): Relation {
  const relates = stateKey === null ? objectOf(objectOf(content)?.["m.relates_to"]) : null;
  if (!relates) return NOTHING;
  const reply = relates["m.in_reply_to"];
  const answered = reply === undefined ? null : textOf(objectOf(reply)?.event_id);
  if (reply !== undefined && answered === null) return NOTHING;
  const name = relates.rel_type;
  if (name === undefined) return { ...NOTHING, replyTo: answered };
  const target = textOf(relates.event_id);
  if (typeof name !== "string" || target === null) return NOTHING;
  const kind = KINDS[name] ?? "other";
  const key = textOf(relates.key);
  if (kind === "reaction" && !key) return NOTHING;
  const isFallback = kind === "thread" && relates.is_falling_back === true;
  return { kind, target, key: key ?? "", replyTo: isFallback ? null : answered };
}

/** The event that a redaction removes. */
export function redactedBy({ type, stateKey, content }: StoredEvent): string | null {
  return type === "m.room.redaction" && stateKey === null ? textOf(objectOf(content)?.redacts) : null;
}

/** Whether an event can be the last message of a room: it is no state, and no step or change of another event. */
export function standsAlone(event: StoredEvent): boolean {
  return event.stateKey === null && !STEPS.has(event.type) && relationOf(event).kind !== "edit";
}

/** The form of a reaction's key in which equal reactions are equal. */
export function plainKey(key: string): string {
  return key.replace(/[\ufe0e\ufe0f]/g, "").normalize("NFC");
}

/** The content that an edit gives to its target; null if it gives none. */
export function editedContent(edit: StoredEvent): Json {
  return objectOf(edit.content)?.["m.new_content"] ?? null;
}
