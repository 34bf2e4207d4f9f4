// The first screen: what a page shows before its engine has read the rooms.
//
// Invariant: its size is bounded, however many rooms there are and however long their messages.

import type { Home, RoomSummary, Row, Viewer } from "../contract.js";
import { VERSION, type FirstScreen } from "./records.js";
import { objectOf, textOf } from "./relate.js";

/** As many rooms are on a screen at first. */
export const FIRST_ROOMS_MAX = 30;
/** The beginning of a message that a list of rooms shows, in characters. */
const TEXT_MAX = 200;

const NO_USERS: readonly string[] = [];

/** The first screen of these views: favourites first, then rooms, then people, as lists of rooms show them. */
export function firstScreen(home: Home, viewer: Viewer | null): FirstScreen {
  const first = new Set([0, 1, 2].flatMap((rank) => home.rooms.filter((room) => rankOf(room) === rank)).slice(0, FIRST_ROOMS_MAX));
  const rooms = home.rooms.filter((room) => first.has(room)).map(short);
  const isWhole = rooms.length === home.rooms.length && home.invites.length <= FIRST_ROOMS_MAX;
  const invites = home.invites.slice(0, FIRST_ROOMS_MAX);
  return { version: VERSION, home: { ...home, rooms, invites, isComplete: home.isComplete && isWhole }, viewer };
}

function rankOf({ isFavourite, isDirect }: RoomSummary): number {
  return isFavourite ? 0 : isDirect ? 2 : 1;
}

/** The line of a room without what only holds now. */
function short(room: RoomSummary): RoomSummary {
  const peer = room.peer && { ...room.peer, presence: null };
  return { ...room, peer, typing: NO_USERS, lastMessage: room.lastMessage && shortRow(room.lastMessage) };
}

function shortRow(row: Row): Row {
  const { msgtype, body } = objectOf(row.content) ?? {};
  const text = textOf(body);
  const content = text === null ? {} : { ...(msgtype !== undefined && { msgtype: textOf(msgtype) }), body: text.slice(0, TEXT_MAX) };
  return { ...row, content, previousContent: null, reactions: [], thread: null };
}
