// Users on pages of the chat, with a server of each file of tests: registered over the API, logged in on pages of a real
// browser. ROOKERY is the program; CHAT_URL may name a server that runs.

import assert from "node:assert/strict";
import { after } from "node:test";
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

/** Queries a server without a page. */
export async function ask(token, query, variables = {}, at = server) {
  const headers = { "Content-Type": "application/json", ...(token && { Authorization: `Bearer ${token}` }) };
  const response = await fetch(`${at}/graphql`, { method: "POST", headers, body: JSON.stringify({ query, variables }) });
  const { data, errors } = await response.json();
  assert.equal(errors, undefined, JSON.stringify(errors));
  return data;
}

const REGISTER = `mutation ($input: RegisterInput!) {
  register(input: $input) { token deviceId user { userId } refusal { code } }
}`;
const LOG_IN = REGISTER.replace("RegisterInput", "LogInInput").replace("register", "logIn");
const password = "correct horse battery staple";

function sessionOf({ token, deviceId, user, refusal }) {
  assert.equal(refusal, null, JSON.stringify(refusal));
  return { token, deviceId, userId: user.userId };
}

/** A new user, whose name begins with `name`. */
export async function register(name, at = server) {
  const username = `${name}-${process.pid}-${(users += 1)}`;
  const { register } = await ask(null, REGISTER, { input: { username, password } }, at);
  return { username, ...sessionOf(register) };
}

/** Another device of a user. */
export async function logIn({ username }, at = server) {
  const { logIn } = await ask(null, LOG_IN, { input: { username, password } }, at);
  return { username, ...sessionOf(logIn) };
}

/** A public room of the first user that the others are in. */
export async function roomOf([first, ...others], name = "Deck", at = server) {
  const create = `mutation ($name: String!) { createRoom(input: { preset: PUBLIC, name: $name }) { room { roomId } } }`;
  const { roomId } = (await ask(first.token, create, { name }, at)).createRoom.room;
  const join = `mutation ($roomId: RoomID!) { joinRoom(input: { room: { roomId: $roomId } }) { refusal { code } } }`;
  for (const { token } of others) await ask(token, join, { roomId }, at);
  return roomId;
}

/** Sends a message without a page. */
export async function say({ token }, roomId, body, at = server) {
  const send = `mutation ($input: SendMessageInput!) { sendMessage(input: $input) { event { eventId } refusal { code } } }`;
  return (await ask(token, send, { input: { roomId, body } }, at)).sendMessage.event.eventId;
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
