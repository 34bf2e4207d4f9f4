// Rooms of other servers in the chat: two servers that federate, with a window on one of them.
// ROOKERY, CHROMIUM and OPENSSL are programs.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { twoServers } from "./shell/federated.mjs";
import { act, ask, enter, launch, register, roomOf, roomTitle } from "./shell/visits.mjs";

let browser;

before(async () => {
  browser = await launch();
});

after(() => browser?.close());

/** A room of a user with an alias, which the directory lists. */
async function hall(server, user, input = {}) {
  const roomId = await roomOf(server.at, [user], { name: "The Hall", topic: "Echoes", alias: `#hall:${server.name}`, isListed: true, ...input });
  return { roomId, alias: `#hall:${server.name}` };
}

const say = (server, { token }, roomId, body) => act(server.at, token, "sendMessage", { roomId, body });
const field = (page) => page.getByRole("textbox", { name: /message to/i });
const shown = (page, text) => page.locator(".line .body", { hasText: text }).first().waitFor();

/** Whether the last messages of the room are these, as a user of the server has them. */
async function heard(server, { token }, roomId, text) {
  const query = "query($id: RoomID!) { room(by: { roomId: $id }) { timeline(last: 5) { nodes { text } } } }";
  for (let tries = 0; tries < 300; tries += 1) {
    const { room } = await ask(token, query, { id: roomId }, server.at);
    if (room.timeline.nodes.some((event) => event.text === text)) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  assert.fail(`${text} never came`);
}

test("a_room_of_another_server_is_found_in_its_directory_and_joined_with_its_history", async (context) => {
  const [here, there] = await twoServers(context);
  const [ann, bob] = [await register(here.at, "ann"), await register(there.at, "bob")];
  const { roomId } = await hall(there, bob);
  for (let number = 1; number <= 40; number += 1) await say(there, bob, roomId, `before ${number}`);
  const { page, faults } = await enter({ browser, context, at: here.at }, ann, "/rooms");
  await page.getByText("Rooms of another server").click();
  await page.getByLabel("Server", { exact: true }).fill(there.name);
  await page.getByRole("link", { name: /The Hall/ }).click();
  // The door says what the directory said.
  await page.getByText("Echoes").waitFor();
  await page.getByRole("button", { name: "Join" }).click();
  await roomTitle(page, "The Hall").waitFor();
  // What was said before the join comes from the other server.
  await shown(page, "before 40");
  await page.locator(".scroller").hover();
  for (let turns = 0; turns < 300 && !(await page.getByText("before 1", { exact: true }).count()); turns += 1) {
    await page.mouse.wheel(0, -2000);
    await page.evaluate(() => new Promise(requestAnimationFrame));
  }
  await shown(page, "before 1");
  await field(page).fill("Hello from here");
  await field(page).press("Enter");
  await heard(there, bob, roomId, "Hello from here");
  await say(there, bob, roomId, "Hello from there");
  await shown(page, "Hello from there");
  assert.deepEqual(faults, []);
});

test("a_join_that_other_servers_have_not_answered_is_shown_and_opens_the_room_later", async (context) => {
  const [here, there] = await twoServers(context, ["--limits-deadline", "2s"]);
  const [ann, bob] = [await register(here.at, "ann"), await register(there.at, "bob")];
  const { alias } = await hall(there, bob);
  const { page, faults } = await enter({ browser, context, at: here.at }, ann, "/rooms");
  await page.getByRole("searchbox", { name: /name, topic or address/ }).fill(alias);
  await page.getByRole("link", { name: alias }).click();
  there.stop();
  await page.getByRole("button", { name: "Join" }).click();
  await page.getByText("Other servers have to answer first").waitFor();
  assert.ok(await page.getByRole("button", { name: "Joining…" }).isDisabled());
  // It is there after a reload, and on the other screens.
  await page.reload();
  await page.getByText("Other servers have to answer first").waitFor();
  await page.getByRole("link", { name: /^Join .*hall/ }).waitFor();
  there.goOn();
  await roomTitle(page, "The Hall").waitFor();
  await page.getByRole("link", { name: /^Join .*hall/ }).waitFor({ state: "detached" });
  assert.deepEqual(faults, []);
});

test("a_join_that_another_server_refuses_later_says_why_until_it_is_dismissed", async (context) => {
  const [here, there] = await twoServers(context, ["--limits-deadline", "2s"]);
  const [ann, bob] = [await register(here.at, "ann"), await register(there.at, "bob")];
  const { alias } = await hall(there, bob, { preset: "PRIVATE", isListed: false });
  const { page, faults } = await enter({ browser, context, at: here.at }, ann, `/room/${encodeURIComponent(alias)}`);
  await page.getByRole("button", { name: "Join" }).waitFor();
  there.stop();
  await page.getByRole("button", { name: "Join" }).click();
  await page.getByText("Other servers have to answer first").waitFor();
  // The page is closed when the answer comes.
  await page.goto("about:blank");
  there.goOn();
  await page.goto(here.at);
  const line = page.locator(".waiting", { hasText: alias });
  await line.getByText("does not let you in").waitFor();
  await line.getByRole("link").click();
  await page.locator(".door").getByText("does not let you in").waitFor();
  await line.getByRole("button").click();
  await line.waitFor({ state: "detached" });
  await page.reload();
  await page.getByRole("button", { name: "Join" }).waitFor();
  assert.equal(await line.count(), 0);
  assert.deepEqual(faults, []);
});

test("invites_go_both_ways_between_servers", async (context) => {
  const [here, there] = await twoServers(context);
  const [ann, bob] = [await register(here.at, "ann"), await register(there.at, "bob")];
  const mine = await enter({ browser, context, at: here.at }, ann, "/new");
  await mine.page.getByLabel("Name", { exact: true }).fill("Bridge");
  await mine.page.getByLabel("Invite people").fill(bob.userId);
  await mine.page.locator(".picker-list button").filter({ hasText: bob.userId }).click();
  await mine.page.getByRole("button", { name: "Create room" }).click();
  await roomTitle(mine.page, "Bridge").waitFor();
  const theirs = await enter({ browser, context, at: there.at }, bob);
  await theirs.page.getByRole("button", { name: /^Join .*Bridge/ }).click();
  await roomTitle(theirs.page, "Bridge").waitFor();
  await field(theirs.page).fill("I came over");
  await field(theirs.page).press("Enter");
  await shown(mine.page, "I came over");
  assert.deepEqual([...mine.faults, ...theirs.faults], []);
});
