// Drafts, links to events and other devices: what is there when a user comes back to a room.
// ROOKERY is the server, CHROMIUM the browser; `cargo xtask test browser` sets them.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { launch } from "./setting/pages.mjs";
import { enter, field, logIn, pathOf, register, roomOf, say, shown, write } from "./setting/people.mjs";

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

test("a_draft_is_there_again_after_a_reload_and_gone_once_it_is_sent", async (context) => {
  const { users, roomId } = await pair();
  const { page } = await enter({ browser, context }, users[0], pathOf(roomId));
  await field(page).fill("half a sen");
  await page.waitForFunction(() => document.querySelector(".composer-field").value === "half a sen");
  await page.evaluate(() => new Promise((resolve) => setTimeout(resolve, 500)));
  await page.reload();
  await page.waitForFunction(() => document.querySelector(".composer-field")?.value === "half a sen");
  await write(page, "a whole sentence");
  await shown(page, "a whole sentence");
  await page.reload();
  await shown(page, "a whole sentence");
  assert.equal(await field(page).inputValue(), "");
});

test("a_link_to_an_event_shows_it_and_the_way_to_the_newest_one", async (context) => {
  const { users, roomId } = await pair();
  const ids = [];
  for (let at = 0; at < 300; at += 1) ids.push(await say(users[1], roomId, `line ${at}.`));
  const { page } = await enter({ browser, context }, users[0], `${pathOf(roomId)}/${encodeURIComponent(ids[20])}`);
  await page.locator(".line.marked", { hasText: "line 20." }).waitFor();
  assert.ok(await page.locator(".line", { hasText: "line 20." }).isVisible());
  await page.getByRole("button", { name: "Jump to the newest message" }).click();
  await page.locator(".line", { hasText: "line 299." }).waitFor();
  const isAtEnd = () => page.evaluate(() => {
    const { scrollTop, clientHeight, scrollHeight } = document.querySelector(".scroller");
    return scrollTop + clientHeight >= scrollHeight - 2;
  });
  assert.ok(await isAtEnd());
});

test("another_device_of_the_user_has_what_was_read_and_sent", async (context) => {
  const { users, roomId } = await pair();
  const phone = await logIn(users[0]);
  const [laptop, other] = [await enter({ browser, context }, users[0], pathOf(roomId)), await enter({ browser, context }, phone, "/")];
  await say(users[1], roomId, "read me");
  await shown(laptop.page, "read me");
  await laptop.page.bringToFront();
  await write(laptop.page, "from the laptop");
  await other.page.locator(".sidebar", { hasText: "from the laptop" }).waitFor();
  await other.page.waitForFunction(() => document.querySelector(".sidebar .count") === null);
});
