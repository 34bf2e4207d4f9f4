// Access ends on the screen at the event that ends it: a kick, a logout elsewhere, the end of a token. Nothing stays behind.
// ROOKERY and CHROMIUM are programs.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Proxy } from "./chat/setting/proxy.mjs";
import { act, ask, enter, freshServer, launch, PASSWORD, register, roomOf, roomTitle } from "./shell/visits.mjs";

let browser;

before(async () => {
  browser = await launch();
});

after(() => browser?.close());

/** Everything in the databases of the page, as text. */
function stored(page) {
  return page.evaluate(async () => {
    const all = [];
    for (const { name } of await indexedDB.databases()) {
      const database = await new Promise((resolve, reject) => {
        const request = indexedDB.open(name);
        request.onsuccess = () => resolve(request.result);
        request.onerror = () => reject(request.error);
      });
      for (const store of database.objectStoreNames) {
        const read = (what) =>
          new Promise((resolve, reject) => {
            const request = database.transaction(store).objectStore(store)[what]();
            request.onsuccess = () => resolve(request.result);
            request.onerror = () => reject(request.error);
          });
        all.push(await read("getAllKeys"), await read("getAll"));
      }
      database.close();
    }
    return JSON.stringify(all);
  });
}

const waitFor = async (holds, what) => {
  for (let left = 200; left > 0; left--) {
    if (await holds()) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  assert.fail(what);
};

test("a_kick_closes_the_room_and_leaves_nothing_of_it_on_the_device", async (context) => {
  const at = await freshServer(context);
  const [ada, bob] = [await register(at, "ada"), await register(at, "bob")];
  const roomId = await roomOf(at, [ada, bob], { name: "Secret cellar" });
  await act(at, ada.token, "sendMessage", { roomId, body: "the treasure is under the stone" });
  const { page, faults } = await enter({ browser, context, at }, bob, `/room/${roomId}`);
  await roomTitle(page, "Secret cellar").waitFor();
  // A negative control: the test does find what is there.
  await waitFor(async () => (await stored(page)).includes("under the stone"), "the message is not stored");
  await act(at, ada.token, "kickUser", { roomId, userId: bob.userId, reason: "enough" });
  await page.getByText("ada⁩ removed you from this room").waitFor();
  await page.getByRole("link", { name: /Secret cellar/ }).waitFor({ state: "detached" });
  await waitFor(async () => !/under the stone|Secret cellar/.test(await stored(page)), "something of the room stayed");
  assert.ok(!(await page.content()).includes("under the stone"));
  assert.deepEqual(faults, []);
});

test("a_kick_while_offline_closes_the_room_when_the_connection_is_back_and_sends_nothing_into_it", async (context) => {
  const at = await freshServer(context);
  const [ada, bob] = [await register(at, "ada"), await register(at, "bob")];
  const roomId = await roomOf(at, [ada, bob], { name: "Secret cellar" });
  await act(at, ada.token, "sendMessage", { roomId, body: "the treasure is under the stone" });
  const proxy = await new Proxy(at).listen(context);
  const { page } = await enter({ browser, context, at: proxy.address }, bob, `/room/${roomId}`);
  await page.locator(".line .body", { hasText: "under the stone" }).waitFor();
  proxy.isOffline = true;
  const composer = page.getByRole("textbox", { name: /message to/i });
  await composer.fill("I know where it is");
  await composer.press("Enter");
  await page.locator(".echo-message.queued").waitFor();
  await act(at, ada.token, "kickUser", { roomId, userId: bob.userId });
  proxy.isOffline = false;
  await page.getByText("ada⁩ removed you from this room").waitFor();
  await waitFor(async () => !/under the stone|Secret cellar|I know where/.test(await stored(page)), "something of the room stayed");
  const query = "query($id: RoomID!) { room(by: { roomId: $id }) { timeline(last: 20) { nodes { text } } } }";
  const { room } = await ask(ada.token, query, { id: roomId }, at);
  assert.ok(!room.timeline.nodes.some(({ text }) => text === "I know where it is"));
});

test("a_logout_elsewhere_closes_the_chat_and_erases_the_device", async (context) => {
  const at = await freshServer(context);
  const ada = await register(at, "ada");
  const roomId = await roomOf(at, [ada]);
  const { page } = await enter({ browser, context, at }, ada, `/room/${roomId}`);
  await roomTitle(page, "Tea").waitFor();
  const login = "mutation($input: LogInInput!) { logIn(input: $input) { token } }";
  const { token } = (await ask(null, login, { input: { username: "ada", password: PASSWORD } }, at)).logIn;
  await act(at, token, "removeDevice", { deviceId: ada.deviceId }, "refusal { code }");
  await page.getByText("Your session has ended").waitFor();
  await waitFor(async () => !(await stored(page)).includes(roomId), "something of the device stayed");
  assert.equal(await page.evaluate(() => localStorage.getItem("rookery.session")), null);
});

test("logging_out_in_one_tab_closes_all_tabs", async (context) => {
  const at = await freshServer(context);
  const ada = await register(at, "ada");
  const roomId = await roomOf(at, [ada]);
  const { page, profile } = await enter({ browser, context, at }, ada, `/room/${roomId}`);
  await roomTitle(page, "Tea").waitFor();
  const second = await profile.newPage();
  await second.goto(`${at}/settings`);
  await second.getByLabel("Name that others see").waitFor();
  await page.getByRole("button", { name: "Your menu" }).click();
  await page.getByRole("menuitem", { name: "Log out" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Log out" }).click();
  for (const tab of [page, second]) await tab.getByRole("heading", { name: "Welcome back" }).waitFor();
  // Only the other tab needs to hear why.
  await second.getByText("Your session has ended").waitFor();
  assert.equal(await page.getByText("Your session has ended").count(), 0);
  await waitFor(async () => !(await stored(page)).includes(roomId), "something of the device stayed");
});

test("the_end_of_a_token_closes_the_chat", async (context) => {
  const at = await freshServer(context);
  const ada = await register(at, "ada");
  await roomOf(at, [ada]);
  const { page } = await enter({ browser, context, at }, ada);
  await page.getByRole("link", { name: /Tea/ }).waitFor();
  await act(at, ada.token, "changePassword", { password: PASSWORD, newPassword: `${PASSWORD}!`, logOutOthers: true }, "refusal { code }");
  // The own device stays logged in after a change of the password. A logout everywhere ends it.
  await page.getByRole("link", { name: /Tea/ }).waitFor();
  await act(at, ada.token, "logOut", { everywhere: true }, "devices");
  await page.getByText("Your session has ended").waitFor();
});
