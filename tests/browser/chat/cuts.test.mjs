// Two users talk while their connections are cut at random moments.
// ROOKERY is the server, CHROMIUM the browser; `cargo xtask test browser` sets them.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { launch } from "./setting/pages.mjs";
import { ask, enter, pathOf, register, roomOf, server, texts, write } from "./setting/people.mjs";
import { Proxy } from "./setting/proxy.mjs";

/** Messages of each user, and cuts of each connection at least. */
const EACH = 24;
const CUTS = 12;
/** Longest pause before a message or a cut: their moments have to differ. */
const PAUSE_MS = 700;

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
  let talkers = pages.length;
  const cutting = proxies.map(async (proxy, at) => {
    while (proxy.cuts < CUTS || talkers > 0) {
      // A page that finds its connection again is cut again, at any moment of that.
      await pages[at].page.waitForFunction(() => ["live", "catchingUp"].includes(document.querySelector(".connection")?.dataset.phase));
      await pause(Math.random() * PAUSE_MS);
      proxy.cut();
    }
  });
  const talking = pages.map(async ({ page, name }) => {
    for (let number = 1; number <= EACH; number += 1) {
      await write(page, `${name} ${number}`);
      await pause(Math.random() * PAUSE_MS);
    }
    talkers -= 1;
  });
  await Promise.all([...cutting, ...talking]);
  const own = (all, name) => all.filter((text) => text.startsWith(`${name} `));
  const wanted = (name) => Array.from({ length: EACH }, (_, at) => `${name} ${at + 1}`);
  for (const { page } of pages) {
    await page.waitForFunction((count) => document.querySelectorAll(".line.is-message .body").length >= count, 2 * EACH, { timeout: 60_000 });
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
  assert.ok(proxies.every(({ cuts }) => cuts >= CUTS));
  for (const { faults } of pages) assert.deepEqual(faults.filter((fault) => fault.startsWith("uncaught")), []);
});
