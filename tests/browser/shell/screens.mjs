// The screens of the shell, with a server that has something for each of them to show.

import { act, freshServer, register, roomOf } from "./visits.mjs";

/** The screens by path, each with what shows that it is there. */
export const screens = (roomId, bob) => ({
  "/": ".room-line",
  "/rooms": ".card",
  "/new": "form input",
  "/settings": "select",
  "/devices": ".card",
  [`/people/${bob.userId}`]: ".door .button",
  [`/room/${roomId}`]: ".conversation",
  [`/room/${roomId}/members`]: ".member",
  [`/room/${roomId}/settings`]: ".panel select",
  "/operator": ".table",
  "/nowhere": "h1",
});

/** A server with what the screens show: rooms of each kind, an invite, unread messages, a topic, a long name. */
export async function furnished(context, browser) {
  const at = await freshServer(context);
  const [ada, bob] = [await register(at, "ada"), await register(at, "bob")];
  const roomId = await roomOf(at, [ada, bob], { name: "Tea", topic: "Leaves, water, time", isListed: true });
  await act(at, bob.token, "sendMessage", { roomId, body: "Hello @ada", mentions: { userIds: [ada.userId] } });
  await roomOf(at, [ada], { name: "A room with a name that is longer than the list of rooms is wide", isListed: true });
  await act(at, bob.token, "createRoom", { name: "Garden", invite: [ada.userId] }, "refusal { code }");
  await act(at, ada.token, "createRoom", { isDirect: true, invite: [bob.userId] }, "refusal { code }");
  return { browser, context, at, ada, bob, roomId };
}

/** Runs in a page: goes to a path without loading the page again, until the next screen is drawn. */
async function goTo(path) {
  history.pushState(null, "", path);
  dispatchEvent(new PopStateEvent("popstate"));
  for (let frames = 2; frames > 0; frames--) await new Promise(requestAnimationFrame);
}

/** Shows a screen and waits until it is there. */
export async function show(page, place, path, query, selector) {
  const { origin, search } = new URL(page.url());
  if (origin === place.at && search === `?${query}`) await page.evaluate(goTo, `${path}?${query}`);
  else await page.goto(`${place.at}${path}?${query}`);
  await page.locator(selector).first().waitFor();
  // Later parts of a screen come with their data.
  await page.waitForFunction(() => !document.querySelector('[aria-busy="true"]'));
}
