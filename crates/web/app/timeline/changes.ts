// Lines of events that change a room: which there are, and what each says, as a message of the catalogue.
//
// Invariant: a line says what changed, not only that something did.

import type { EventId, Json, Row } from "rookery-client/store";
import { localpart } from "../state/names.js";

/** A message of the catalogue with its values. */
export interface Text {
  key: string;
  values: Record<string, string>;
}

const HIDDEN = new Set(["m.reaction", "m.room.redaction", "m.room.aliases", "m.call.candidates", "m.call.negotiate"]);
const MESSAGES = new Set(["m.room.message", "m.sticker", "m.room.encrypted"]);
/** Steps of a call that have no line of their own: the line of the end says all. */
const CALL_STEPS = new Set(["m.call.answer", "m.call.reject", "m.call.hangup", "m.call.invite"]);

export const isCall = (row: Row) => CALL_STEPS.has(row.type);

/** The ID of the call that an event is a step of. */
export const callOf = (row: Row) => (isCall(row) ? textAt(row.content, "call_id") : null);

/** Whether a timeline of the room, or of a thread, has a line for the event. */
export function isShown(row: Row, thread: EventId | null): boolean {
  if (HIDDEN.has(row.type)) return false;
  if (thread !== null) return row.eventId === thread || row.threadRoot === thread;
  if (row.threadRoot !== null) return false;
  if (row.stateKey !== null || isCall(row)) return lineOf(row) !== null;
  return MESSAGES.has(row.type) || typeof at(row.content, "body") === "string" || row.redaction !== null;
}

/** Whether the event is shown as a line rather than as a message. */
export const isChange = (row: Row) => row.stateKey !== null || isCall(row);

/** A value of an object, or null. */
export function at(json: Json | undefined, name: string): Json {
  return typeof json === "object" && json !== null && !Array.isArray(json) && Object.hasOwn(json, name) ? json[name]! : null;
}

export function textAt(json: Json | undefined, name: string): string | null {
  const value = at(json, name);
  return typeof value === "string" && value !== "" ? value : null;
}

export const nameOf = (row: Row) => row.senderName ?? localpart(row.senderId);

/** The text of the line of an event; null if it has none. */
export function lineOf(row: Row): Text | null {
  const who = nameOf(row);
  if (isCall(row)) return callLine(row, who);
  switch (row.type) {
    case "m.room.create":
      return { key: "line.created", values: { who } };
    case "m.room.member":
      return memberLine(row, who);
    case "m.room.name":
      return replaced(row, "name", "line.name", who);
    case "m.room.topic":
      return replaced(row, "topic", "line.topic", who);
    case "m.room.avatar":
      return { key: "line.avatar", values: { who } };
    case "m.room.canonical_alias":
      return replaced(row, "alias", "line.alias", who);
    case "m.room.join_rules":
      return setting(row, "join_rule", ["public", "invite", "knock"], "line.joinRule", who);
    case "m.room.history_visibility":
      return setting(row, "history_visibility", ["world_readable", "shared", "invited", "joined"], "line.history", who);
    case "m.room.power_levels":
      return powerLine(row, who);
    case "m.room.tombstone":
      return { key: "line.replaced", values: { who } };
    default:
      return null;
  }
}

/** A text that was set, changed from another one, or removed. */
function replaced(row: Row, name: string, key: string, who: string): Text | null {
  const [before, now] = [textAt(row.previousContent, name), textAt(row.content, name)];
  if (before === now) return null;
  if (now === null) return { key: `${key}.removed`, values: { who, before: before! } };
  if (before === null) return { key: `${key}.set`, values: { who, now } };
  return { key: `${key}.changed`, values: { who, before, now } };
}

/** One of a few values, each of which has a text. */
function setting(row: Row, name: string, known: readonly string[], key: string, who: string): Text | null {
  const [before, now] = [textAt(row.previousContent, name), textAt(row.content, name)];
  if (now === null || before === now) return null;
  return { key: `${key}.${known.includes(now) ? now : "other"}`, values: { who } };
}

function memberLine(row: Row, who: string): Text | null {
  const target = row.stateKey ?? row.senderId;
  const isSelf = target === row.senderId;
  const whom = textAt(row.content, "displayname") ?? textAt(row.previousContent, "displayname") ?? localpart(target);
  const reason = textAt(row.content, "reason") ?? "";
  const [before, now] = [textAt(row.previousContent, "membership"), textAt(row.content, "membership")];
  const told = (key: string): Text => ({ key: `line.member.${key}`, values: { who, whom, reason } });
  const why = reason === "" ? "" : ".why";
  switch (now) {
    case "join":
      return before === "join" ? profileLine(row, whom) : told(before === "invite" ? "accepted" : "joined");
    case "invite":
      return told("invited");
    case "knock":
      return told(`knocked${why}`);
    case "ban":
      return told(`banned${why}`);
    case "leave":
      if (before === "ban") return told("unbanned");
      if (before === "invite") return told(isSelf ? "declined" : "withdrawn");
      return told(isSelf ? `left${why}` : `kicked${why}`);
    default:
      return null;
  }
}

/** A member who stays has another name or another picture. */
function profileLine(row: Row, whom: string): Text | null {
  const [before, now] = [textAt(row.previousContent, "displayname"), textAt(row.content, "displayname")];
  const target = row.stateKey ?? row.senderId;
  if (before !== now) return { key: "line.member.renamed", values: { who: before ?? localpart(target), now: now ?? localpart(target) } };
  const pictures = [textAt(row.previousContent, "avatar_url"), textAt(row.content, "avatar_url")];
  return pictures[0] === pictures[1] ? null : { key: "line.member.picture", values: { who: whom } };
}

/** The first level of a user that changed, or that other rules did. */
function powerLine(row: Row, who: string): Text | null {
  const [before, now] = [levels(row.previousContent), levels(row.content)];
  const changed = [...new Set([...before.keys(), ...now.keys()])].filter((user) => before.get(user) !== now.get(user));
  if (row.previousContent === null) return null;
  if (changed.length !== 1) return { key: "line.power", values: { who } };
  const level = now.get(changed[0]!) ?? at(row.content, "users_default") ?? 0;
  return { key: "line.power.user", values: { who, whom: localpart(changed[0]!), level: String(level) } };
}

function levels(content: Json): Map<string, Json> {
  const users = at(content, "users");
  return new Map(typeof users === "object" && users !== null && !Array.isArray(users) ? Object.entries(users) : []);
}

/** The lines of a call: its begin, and how it ended. */
function callLine(row: Row, who: string): Text | null {
  const values = { who };
  const reason = textAt(row.content, "reason") ?? "user_hangup";
  switch (row.type) {
    case "m.call.invite":
      return { key: "line.call.placed", values };
    case "m.call.reject":
      return { key: "line.call.rejected", values };
    case "m.call.hangup":
      if (reason === "invite_timeout") return { key: "line.call.missed", values };
      return { key: reason === "user_hangup" ? "line.call.ended" : "line.call.broken", values };
    default:
      return null;
  }
}
