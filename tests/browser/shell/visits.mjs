// Visits of the chat in a real browser: servers of their own, browser profiles, and users who are logged in already.
// ROOKERY and CHROMIUM are programs.

import { roomOf as openRoom } from "../api.mjs";
import { launch } from "../callers.mjs";
import { startServer } from "../relays.mjs";

export { act, ask, PASSWORD, register } from "../api.mjs";
export { launch };

/** A server with no data and no rate limits. */
export const freshServer = (context, args = [], ...more) =>
  startServer(context, ["--turn-listen", "127.0.0.1:0", "--limits-rate", "none", ...args], ...more);

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

/** A window in which this user is logged in. */
export async function enter(place, user, path = "/", options = {}) {
  const visited = await visit(place, "/favicon.svg", options);
  const session = JSON.stringify({ ...user, since: Date.now() });
  await visited.page.evaluate((it) => localStorage.setItem("rookery.session", it), session);
  await visited.page.goto(place.at + path);
  return visited;
}

/** A room of the first user with a name, which the others have joined. */
export const roomOf = (at, users, input = {}) => openRoom(at, users, { name: "Tea", ...input });

/** The bar of the room that a window shows. */
export const roomTitle = (page, name) => page.getByRole("heading", { level: 1, name, exact: true });
