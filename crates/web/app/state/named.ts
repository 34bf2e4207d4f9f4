// Rooms and users that a text names: by an ID, by an address, or by a link to one.

import { pathTo, routeOf } from "../router.js";

export interface Named {
  /** The ID or the alias of a room, or the ID of a user. */
  place: string;
  eventId: string | null;
  /** Servers to join the room through. */
  via: readonly string[];
}

const VIA_MAX = 5;

const IDENTIFIER = /^(?:[#@][^\s:]+:[^\s/]+|![^\s/?]+)$/u;

/** What a text names; null if it names nothing. */
export function namedBy(text: string): Named | null {
  const wanted = text.trim();
  const link = /^https?:\/\/matrix\.to\/#\/([^/?]+)(?:\/([^?]*))?(?:\?(.*))?$/u.exec(wanted);
  const own = link ? null : /^https?:\/\/([^/]+)\/room\/([^/?#]+)(?:\/([^/?#]+))?/u.exec(wanted);
  if (own && own[1] !== globalThis.location?.host) return null;
  const place = decoded(link?.[1] ?? own?.[2] ?? wanted);
  if (!IDENTIFIER.test(place)) return null;
  const event = decoded(link?.[2] ?? own?.[3] ?? "");
  return { place, eventId: event.startsWith("$") ? event : null, via: new URLSearchParams(link?.[3] ?? "").getAll("via").slice(0, VIA_MAX) };
}

/** The path of what is named, in this chat. */
export function pathOf({ place, eventId, via }: Named): string {
  if (place.startsWith("@")) return pathTo.person(place);
  return eventId ? pathTo.room(place, eventId) : pathTo.roomVia(place, via);
}

/** The path in this chat to which a link leads; null if it leads elsewhere. */
export function pathInside(href: string): string | null {
  const { origin, pathname, search } = new URL(href);
  if (origin === globalThis.location?.origin) return routeOf(pathname).page === "missing" ? null : pathname + search;
  const named = href.startsWith("https://matrix.to/") ? namedBy(href) : null;
  return named && pathOf(named);
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
