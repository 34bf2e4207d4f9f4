// The place that the reader is at, as a path: links to a room or to an event can be copied and opened by other users.
//
//   /                             the list of rooms
//   /room/ROOM                    a room, by its ID or alias; `?via=SERVER` names servers to join it through
//   /room/ROOM/EVENT              an event in it
//   /room/ROOM/thread/EVENT       a thread beside the timeline
//   /room/ROOM/members            the members beside the timeline; also `settings`
//   /rooms /new /settings /devices /people/USER /operator /welcome
//
// Invariant: the server answers each of these paths with the page of the chat; `crates/web/src/chat.rs` lists them.

import { signal } from "@preact/signals";

export type Panel = { kind: "members" | "settings" } | { kind: "thread"; eventId: string };

export type Route =
  | { page: "home" | "directory" | "new" | "settings" | "devices" | "operator" | "welcome" | "missing" }
  | { page: "person"; userId: string }
  | { page: "room"; roomId: string; eventId: string | null; panel: Panel | null };

/** Pages without a parameter, by path. */
const PAGES = {
  "/": "home",
  "/rooms": "directory",
  "/new": "new",
  "/settings": "settings",
  "/devices": "devices",
  "/operator": "operator",
  "/welcome": "welcome",
} as const;

/** IDs keep the signs that a path may have, so that a copied link is easy to read. */
const part = (id: string) => encodeURIComponent(id).replaceAll("%3A", ":").replaceAll("%40", "@").replaceAll("%24", "$");

export const pathTo = {
  room: (roomId: string, eventId?: string | null) => `/room/${part(roomId)}${eventId ? `/${part(eventId)}` : ""}`,
  /** A room that is joined through these servers. */
  roomVia: (roomId: string, via: readonly string[]) => `/room/${part(roomId)}${via.length > 0 ? `?${new URLSearchParams(via.map((name) => ["via", name]))}` : ""}`,
  thread: (roomId: string, eventId: string) => `/room/${part(roomId)}/thread/${part(eventId)}`,
  members: (roomId: string) => `/room/${part(roomId)}/members`,
  roomSettings: (roomId: string) => `/room/${part(roomId)}/settings`,
  person: (userId: string) => `/people/${part(userId)}`,
};

/** The whole address of a path, for other users. */
export const linkTo = (path: string) => location.origin + path;

export function routeOf(path: string): Route {
  const page = PAGES[path as keyof typeof PAGES];
  if (page) return { page };
  const [, first, id, third, fourth] = path.split("/").map(decoded);
  if (first === "people" && id) return { page: "person", userId: id };
  if (first !== "room" || !id) return { page: "missing" };
  const room = { page: "room", roomId: id, eventId: null, panel: null } as const;
  if (third === "members" || third === "settings") return { ...room, panel: { kind: third } };
  if (third === "thread" && fourth) return { ...room, panel: { kind: "thread", eventId: fourth } };
  return third ? { ...room, eventId: third } : room;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

const isInBrowser = "location" in globalThis && "document" in globalThis;

/** The place of now. */
export const route = signal<Route>(routeOf(isInBrowser ? location.pathname : "/"));

/** Goes to a path of the chat, which may have a query. With `replace`, the way back skips the place of now. */
export function go(path: string, { replace = false } = {}): void {
  if (replace) history.replaceState(null, "", path);
  else if (path !== location.pathname) history.pushState(null, "", path);
  route.value = routeOf(path.split("?", 1)[0]!);
}

/** Follows the buttons of the browser, and links to paths of the chat. */
export function listen(): void {
  addEventListener("popstate", () => (route.value = routeOf(location.pathname)));
  document.addEventListener("click", (event) => {
    if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    const link = (event.target as Element | null)?.closest?.("a");
    if (!link || link.target || link.origin !== location.origin || link.hasAttribute("download")) return;
    if (routeOf(link.pathname).page === "missing") return;
    event.preventDefault();
    go(link.pathname + link.search);
  });
}
