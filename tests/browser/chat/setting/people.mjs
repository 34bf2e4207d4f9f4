// Users on pages of the chat, with a server of each file of tests: registered over the API, logged in on pages of a real
// browser. ROOKERY is the program; CHAT_URL may name a server that runs.

import { after } from "node:test";
import * as api from "../../api.mjs";
import { startServer } from "../../relays.mjs";
import { open } from "./pages.mjs";

const ends = [];
const OPTIONS = ["--turn-listen", "127.0.0.1:0", "--limits-rate", "none"];

/** Without limits of rates: a test sends more messages than a person. */
export const server = process.env.CHAT_URL ?? (await startServer({ after: (end) => ends.push(end) }, OPTIONS));

after(async () => {
  for (const end of ends) await end();
});

let users = 0;

/** Runs an operation. */
export const ask = (token, query, variables = {}, at = server) => api.ask(token, query, variables, at);

/** A new user, whose name begins with `name`. */
export async function register(name, at = server) {
  const username = `${name}-${process.pid}-${(users += 1)}`;
  return { username, ...(await api.register(at, username)) };
}

/** Another device of a user. */
export const logIn = async ({ username }, at = server) => ({ username, ...(await api.logIn(at, username)) });

/** A public room of the first user that the others are in. */
export const roomOf = (users, name = "Deck", at = server) => api.roomOf(at, users, { name });

/** Sends a message without a page. */
export async function say({ token }, roomId, body, at = server) {
  const { event } = await api.act(at, token, "sendMessage", { roomId, body }, "event { eventId } refusal { code }");
  return event.eventId;
}

/** A page on which the user is logged in, at a path of the chat. */
export async function enter(place, user, path = "/", { at = server, ...options } = {}) {
  const opened = await open(place, `${at}/favicon.svg`, { viewport: { width: 1200, height: 800 }, ...options });
  const { token, deviceId, userId } = user;
  await opened.page.evaluate((session) => localStorage.setItem("rookery.session", JSON.stringify(session)), { token, deviceId, userId });
  await opened.page.goto(at + path);
  return opened;
}

export const pathOf = (roomId) => `/room/${encodeURIComponent(roomId)}`;

/** The field in which a message of the room is written. */
export const field = (page) => page.locator(".conversation:not(.thread) .composer-field").first();

/** Writes a message on a page and sends it. */
export async function write(page, text) {
  await field(page).fill(text);
  await field(page).press("Enter");
}

/** Waits for a message of the timeline. */
export const shown = (page, text) => page.locator(".line .body", { hasText: text }).first().waitFor();

/** The texts of the messages that a page shows, those that are not sent yet included. */
export const texts = (page) =>
  page.evaluate(() => [...document.querySelectorAll(".conversation:not(.thread) .line .body")].map((body) => body.textContent));
