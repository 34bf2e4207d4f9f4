// What the tests of tabs share: a browser, users, their tabs, and what a tab shows.

import { fileURLToPath } from "node:url";
import { CREATE_ROOM } from "../../clients/operations.mjs";
import { act, ask, register } from "../../clients/person.mjs";
import { launch } from "../callers.mjs";
import { bundle, site } from "./site.mjs";

const server = process.env.ROOKERY_URL;

let browser;
let script;

export async function begin() {
  [browser, script] = await Promise.all([launch(), bundle(fileURLToPath(new URL("page.mjs", import.meta.url)))]);
}

export const end = () => browser?.close();

/** Where the engine lives, with the query of a page for it. */
export const WAYS = [
  ["a SharedWorker", "worker", ""],
  ["a tab that leads", "leader", "&leader"],
];

/** A user with a room, and a browser profile whose tabs are logged in as that user. */
export async function scene(context, name, query = "") {
  const files = { "/page.js": script };
  const { url, sockets } = await site(context, server, files);
  const profile = await browser.newContext();
  context.after(() => profile.close());
  const faults = [];
  const logIn = async (username, since = 1) => {
    const { token, userId } = await register(username);
    const { deviceId } = (await ask(token, "{ viewer { device { deviceId } } }")).viewer.device;
    return { url, token, userId, deviceId, since };
  };
  const session = await logIn(name);
  const { token } = session;
  const { room } = await act(token, CREATE_ROOM, { name: "Tabs", preset: "PUBLIC" });
  const open = async (as = session, more = query) => {
    const page = await profile.newPage();
    page.on("pageerror", (error) => faults.push(error.message));
    await page.goto(`${url}/?session=${encodeURIComponent(JSON.stringify(as))}${more}`);
    return page;
  };
  /** The messages of the room on the server. */
  const bodies = async () => {
    const all = [];
    for (let before = null; ; ) {
      const { nodes, pageInfo } = await timeline(token, room.roomId, before);
      all.unshift(...nodes.map(({ text }) => text).filter((text) => text));
      if (!pageInfo.hasPreviousPage) return all;
      before = pageInfo.startCursor;
    }
  };
  return { roomId: room.roomId, token, open, logIn, bodies, sockets, faults, files };
}

const TIMELINE = `query ($roomId: RoomID!, $before: Cursor) { room(by: { roomId: $roomId }) {
  timeline(last: 100, before: $before) { nodes { ... on MessageEvent { text } } pageInfo { hasPreviousPage startCursor } } } }`;
const timeline = async (token, roomId, before) => (await ask(token, TIMELINE, { roomId, before })).room.timeline;

/** Kills the program of a tab, as a crash does. */
export async function crash(page) {
  const crashed = page.waitForEvent("crash");
  const session = await page.context().newCDPSession(page);
  session.send("Page.crash").catch(() => {});
  await crashed;
  await page.close();
}

/** Waits until the status of a tab is so. */
export const isIn = (page, phase) => page.waitForFunction((phase) => globalThis.store?.get("status")?.phase === phase, phase);

/** Waits until a tab shows a message as an event of the room. */
export const shows = (page, roomId, body) =>
  page.waitForFunction(
    ([key, body]) => {
      globalThis.leave ??= store.subscribe(key, () => {});
      return store.get(key)?.segments.some(({ rows }) => rows.some(({ content }) => content.body === body));
    },
    [`timeline:${roomId}`, body],
  );

/** Sends a message from a tab. */
export const send = (page, roomId, body) => page.evaluate(([roomId, body]) => store.send(roomId, { body }), [roomId, body]);

/** Waits until the device has sent everything. */
export const sentAll = (page) => page.waitForFunction(() => store.get("status")?.unsent === 0);
