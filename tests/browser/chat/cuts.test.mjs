// Two users talk for a minute while their connections are cut at random.
// ROOKERY is the server, CHROMIUM the browser; `cargo xtask test browser` sets them.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { launch } from "./setting/pages.mjs";
import { ask, enter, pathOf, register, roomOf, server, texts, write } from "./setting/people.mjs";
import { Proxy } from "./setting/proxy.mjs";

const CUTTING_MS = 60_000;
const EACH = 40;

let browser;

before(async () => {
  browser = await launch();
});

after(() => browser?.close());

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

test("two_users_whose_connections_are_cut_at_random_have_each_message_once_and_in_order", async (context) => {
  const users = [await register("ada"), await register("bob")];
  const roomId = await roomOf(users);
  const proxies = [await new Proxy(server).listen(context), await new Proxy(server).listen(context)];
  const pages = [];
  for (const [at, user] of users.entries()) {
    const { page, faults } = await enter({ browser, context }, user, pathOf(roomId), { at: proxies[at].address });
    await page.locator(".composer-field").waitFor();
    pages.push({ page, faults, name: ["ada", "bob"][at] });
  }
  const end = Date.now() + CUTTING_MS;
  const cutting = proxies.map(async (proxy) => {
    while (Date.now() < end) {
      await pause(200 + Math.random() * 1500);
      proxy.cut();
    }
  });
  const talking = pages.map(async ({ page, name }) => {
    for (let number = 1; number <= EACH; number += 1) {
      await write(page, `${name} ${number}`);
      await pause(Math.random() * (2 * CUTTING_MS) / EACH * 0.9);
    }
  });
  await Promise.all([...cutting, ...talking]);
  const own = (all, name) => all.filter((text) => text.startsWith(`${name} `));
  const wanted = (name) => Array.from({ length: EACH }, (_, at) => `${name} ${at + 1}`);
  for (const { page } of pages) {
    await page.waitForFunction((count) => document.querySelectorAll(".line.is-message .body").length >= count, 2 * EACH, { timeout: 40_000 });
    await page.locator(".echo-message").first().waitFor({ state: "detached" });
    const all = await texts(page);
    for (const { name } of pages) assert.deepEqual(own(all, name), wanted(name));
  }
  const [one, other] = [await texts(pages[0].page), await texts(pages[1].page)];
  assert.deepEqual(one, other, "both see the same order");
  const query = `query ($roomId: RoomID!) { room(by: { roomId: $roomId }) { timeline(last: 100) { nodes { text type } } } }`;
  const { nodes } = (await ask(users[0].token, query, { roomId })).room.timeline;
  assert.deepEqual(nodes.filter(({ type }) => type === "m.room.message").map(({ text }) => text), one);
  context.diagnostic(`${proxies.map(({ cuts }) => cuts).join(" and ")} cuts`);
  assert.ok(proxies.every(({ cuts }) => cuts > 20));
  for (const { faults } of pages) assert.deepEqual(faults.filter((fault) => fault.startsWith("uncaught")), []);
});
