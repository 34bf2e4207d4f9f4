// Visits of the chat in a real browser: servers of their own, browser profiles, and users who are logged in already.
// ROOKERY and CHROMIUM are programs.

import assert from "node:assert/strict";
import { startServer } from "../relays.mjs";
import { ask, launch } from "../callers.mjs";

export { ask, launch };

export const PASSWORD = "correct horse battery staple";

/** A server with no data and no rate limits. */
export const freshServer = (context, args = []) => startServer(context, ["--turn-listen", "127.0.0.1:0", "--limits-rate", "none", ...args]);

/** A new window in a browser profile of its own, and its faults: errors, and requests to other hosts. */
export async function visit({ browser, context, at }, path = "/", options = {}) {
  const profile = await browser.newContext({ viewport: { width: 1280, height: 800 }, locale: "en-GB", ...options });
  context.after(() => profile.close());
  const page = await profile.newPage();
  const faults = [];
  page.on("pageerror", (error) => faults.push(`uncaught: ${error.stack}`));
  page.on("console", (message) => {
    if (message.type() === "error" && !/net::ERR_/.test(message.text())) faults.push(`console: ${message.text()}`);
  });
  page.on("request", (request) => {
    const url = new URL(request.url());
    if (["http:", "https:"].includes(url.protocol) && url.origin !== at) faults.push(`foreign request: ${url}`);
  });
  await page.goto(at + path);
  return { page, profile, faults };
}

/** Registers a user without a page. */
export async function register(at, username) {
  const input = { username, password: PASSWORD };
  const document = "mutation($input: RegisterInput!) { register(input: $input) { token deviceId user { userId } refusal { code } } }";
  const { token, deviceId, user, refusal } = (await ask(null, document, { input }, at)).register;
  assert.equal(refusal, null);
  return { token, deviceId, userId: user.userId };
}

/** A window in which this user is logged in. */
export async function enter(place, user, path = "/", options = {}) {
  const visited = await visit(place, "/favicon.svg", options);
  const session = JSON.stringify({ ...user, since: Date.now() });
  await visited.page.evaluate((it) => localStorage.setItem("rookery.session", it), session);
  await visited.page.goto(place.at + path);
  return visited;
}

/** Runs a mutation that takes `input`, and returns its payload. */
export async function act(at, token, name, input, fields = "refusal { code }") {
  const type = `${name[0].toUpperCase()}${name.slice(1)}Input`;
  const document = `mutation($input: ${type}!) { ${name}(input: $input) { ${fields} } }`;
  const payload = (await ask(token, document, { input }, at))[name];
  assert.equal(payload.refusal ?? null, null, name);
  return payload;
}

/** A room of the first user, which the others have joined. */
export async function roomOf(at, [owner, ...others], input = {}) {
  const created = await act(at, owner.token, "createRoom", { preset: "PUBLIC", name: "Tea", ...input }, "room { roomId } refusal { code }");
  const { roomId } = created.room;
  for (const { token } of others) await act(at, token, "joinRoom", { room: { roomId } });
  return roomId;
}

/** The bar of the room that a window shows. */
export const roomTitle = (page, name) => page.getByRole("heading", { level: 1, name, exact: true });
