// Rows: events with what other events make of them.

import type { Json, Row, RowReaction, UserId } from "../contract.js";
import { isEqual } from "./plain.js";
import type { Item } from "./place.js";
import { compare, type Profile, type Relations, type StoredEvent } from "./records.js";
import { editedContent, plainKey, redactedBy, relationOf, textOf, objectOf } from "./relate.js";

/** As many keys of reactions, and users of each, as the server tells. */
const REACTIONS_MAX = 20;

/** Steps of calls that no timeline shows. */
const SILENT = new Set(["m.call.candidates", "m.call.negotiate", "m.call.select_answer", "m.reaction", "m.room.redaction"]);

const NONE: Relations = { isEdited: false, edited: null, reactions: [], thread: null };

/** Folds the events that relate to `target`, as the server does. */
export function fold(target: StoredEvent, related: Iterable<Item> | undefined, me: UserId): Relations {
  if (!related) return NONE;
  const events = Array.from(related, ({ event }) => event).sort(compare);
  if (events.length === 0) return NONE;
  let edit: StoredEvent | null = null;
  const reactions = new Map<string, { key: string; userIds: string[] }>();
  const thread: StoredEvent[] = [];
  for (const event of events) {
    const { kind, key } = relationOf(event);
    if (kind === "edit" && event.senderId === target.senderId && !target.isRedacted) edit = event;
    else if (kind === "thread") thread.push(event);
    else if (kind === "reaction") {
      const plain = plainKey(key);
      const found = reactions.get(plain) ?? { key, userIds: [] };
      if (!found.userIds.includes(event.senderId)) found.userIds.push(event.senderId);
      reactions.set(plain, found);
    }
  }
  const folded = [...reactions.values()].slice(0, REACTIONS_MAX).map(({ key, userIds }): RowReaction => {
    return { key, count: userIds.length, isMine: userIds.includes(me), userIds: userIds.slice(0, REACTIONS_MAX) };
  });
  const isParticipant = thread.some(({ senderId }) => senderId === me);
  return {
    isEdited: edit !== null,
    edited: edit && editedContent(edit),
    reactions: folded,
    thread: thread.length > 0 ? { count: thread.length, lastEventId: thread.at(-1)?.eventId ?? null, isParticipant } : null,
  };
}

/** Whether a timeline shows the event as a row of its own. */
export function isShown(event: StoredEvent, redaction: StoredEvent["redacted"]): boolean {
  if (event.stateKey !== null) return true;
  if (SILENT.has(event.type) || relationOf(event).kind === "edit") return false;
  // An edit of a redacted message: it was erased with the message.
  return !(redaction?.redacts && redaction.redacts !== event.eventId);
}

/** The redaction of an event by `by`. */
export function redactionOf(by: StoredEvent): NonNullable<StoredEvent["redacted"]> {
  return { byId: by.senderId, reason: textOf(objectOf(by.content)?.reason), redacts: redactedBy(by) };
}

/** The parts of a room that its rows are made of. */
export interface Around {
  roomId: string;
  names: Record<string, Profile>;
  relationsOf(item: Item): Relations;
}

/** The row of an event. It is the same object as before while its content is the same. */
export function rowOf(item: Item, { roomId, names, relationsOf }: Around): Row {
  if (item.row) return item.row;
  const { event } = item;
  const { isEdited, edited, reactions, thread } = relationsOf(item);
  const relation = relationOf(event);
  const row: Row = {
    eventId: event.eventId,
    roomId,
    sequence: event.sequence,
    depth: event.depth,
    cursor: event.cursor,
    type: event.type,
    stateKey: event.stateKey,
    senderId: event.senderId,
    senderName: names[event.senderId]?.[0] ?? null,
    sentAt: event.sentAt,
    content: edited ?? event.content,
    previousContent: event.previous ?? null,
    isEdited,
    redaction: redaction(event),
    reactions,
    thread,
    replyTo: relation.replyTo,
    threadRoot: relation.kind === "thread" ? relation.target : null,
    isLate: event.isLate,
    actionId: event.actionId,
  };
  item.row = item.formerRow && isEqual(item.formerRow, row) ? item.formerRow : row;
  item.formerRow = null;
  return item.row;
}

function redaction({ isRedacted, redacted }: StoredEvent): Row["redaction"] {
  if (!isRedacted) return null;
  return { byId: redacted?.byId ?? null, reason: redacted?.reason ?? null };
}

/** The row has to be made again. */
export function invalidate(item: Item): void {
  if (item.row) item.formerRow = item.row;
  item.row = null;
  item.isRow = undefined;
}

/** Content that stays of a redacted event, as far as it is known without the server. */
export function redactedContent({ type, content }: StoredEvent): Json {
  const keep = type === "m.room.member" ? "membership" : type === "m.room.redaction" ? "redacts" : "";
  const kept = objectOf(content)?.[keep];
  return kept === undefined ? {} : { [keep]: kept };
}
