// Two users talk on pages of the chat, while their connections are offline, and while a page sleeps.
// ROOKERY is the server, CHROMIUM the browser; `cargo xtask test browser` sets them.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import * as api from "../api.mjs";
import { launch } from "./setting/pages.mjs";
import { ask, enter, field, pathOf, register, roomOf, say, server, shown, texts, write } from "./setting/people.mjs";
import { Proxy } from "./setting/proxy.mjs";

let browser;

before(async () => {
  browser = await launch();
});

after(() => browser?.close());

/** Two users and a room of both. */
async function pair() {
  const users = [await register("ada"), await register("bob")];
  return { users, roomId: await roomOf(users) };
}

test("two_users_talk", async (context) => {
  const { users, roomId } = await pair();
  const [ada, bob] = [await enter({ browser, context }, users[0], pathOf(roomId)), await enter({ browser, context }, users[1], pathOf(roomId))];
  await write(ada.page, "Good **morning**");
  await shown(bob.page, "Good morning");
  assert.equal(await bob.page.locator(".line strong", { hasText: "morning" }).count(), 1);
  await field(bob.page).pressSequentially("Good m");
  await ada.page.locator(".typing", { hasText: users[1].username }).filter({ hasText: "typing" }).waitFor();
  await field(bob.page).fill("Good morning to you");
  await field(bob.page).press("Enter");
  await shown(ada.page, "Good morning to you");
  // Bob's page has the focus and shows the end: Ada sees that he has read it.
  await ada.page.locator(".readers").first().waitFor();
  assert.deepEqual([ada.faults, bob.faults], [[], []]);
});

test("links_to_rooms_and_users_in_messages_open_in_the_chat", async (context) => {
  const { users, roomId } = await pair();
  const { page, faults } = await enter({ browser, context }, users[0], pathOf(roomId));
  const send = (input) => api.act(server, users[1].token, "sendMessage", { roomId, ...input });
  const pill = `<a href="https://matrix.to/#/${users[1].userId}">the sender</a>`;
  await send({ body: "see the sender", formattedBody: `see ${pill} and <a href="https://example.org/">away</a>` });
  await send({ body: `or ${server}${pathOf(roomId)}/members` });
  const [sender, away] = [page.getByRole("link", { name: "the sender" }), page.getByRole("link", { name: "away" })];
  await sender.waitFor();
  assert.deepEqual([await sender.getAttribute("target"), await away.getAttribute("target")], [null, "_blank"]);
  await page.getByRole("link", { name: /members$/ }).click();
  await page.locator(".member").first().waitFor();
  await sender.click();
  await page.waitForURL(`**/people/${users[1].userId}`);
  assert.equal(page.context().pages().length, 1);
  assert.deepEqual(faults, []);
});

test("messages_written_offline_are_sent_in_order_and_once_when_the_connection_is_back", async (context) => {
  const { users, roomId } = await pair();
  const proxy = await new Proxy(server).listen(context);
  const { page } = await enter({ browser, context }, users[0], pathOf(roomId), { at: proxy.address });
  await write(page, "before");
  await shown(page, "before");
  proxy.isOffline = true;
  const lines = Array.from({ length: 5 }, (_, at) => `offline ${at}`);
  for (const line of lines) await write(page, line);
  await page.locator(".echo-message.queued").nth(4).waitFor();
  assert.deepEqual((await texts(page)).slice(-5), lines);
  await say(users[1], roomId, "meanwhile");
  proxy.isOffline = false;
  await shown(page, "meanwhile");
  await page.locator(".echo-message").first().waitFor({ state: "detached" });
  const query = `query ($roomId: RoomID!) { room(by: { roomId: $roomId }) { timeline(last: 20) { nodes { text type } } } }`;
  const { nodes } = (await ask(users[1].token, query, { roomId })).room.timeline;
  const sent = nodes.filter(({ type }) => type === "m.room.message").map(({ text }) => text);
  assert.deepEqual(sent.filter((text) => text.startsWith("offline")), lines);
  assert.deepEqual((await texts(page)).filter((text) => text.startsWith("offline")), lines);
});

test("a_page_that_slept_shows_each_message_once", async (context) => {
  const { users, roomId } = await pair();
  const { page } = await enter({ browser, context }, users[0], pathOf(roomId));
  await say(users[1], roomId, "before");
  await shown(page, "before");
  const session = await page.context().newCDPSession(page);
  await session.send("Page.setWebLifecycleState", { state: "frozen" });
  const lines = Array.from({ length: 30 }, (_, at) => `slept ${at}`);
  for (const line of lines) await say(users[1], roomId, line);
  await session.send("Page.setWebLifecycleState", { state: "active" });
  await shown(page, "slept 29");
  assert.deepEqual((await texts(page)).filter((text) => text.startsWith("slept")), lines);
});
