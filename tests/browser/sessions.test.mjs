// Tabs end with their session, and wake up with what they missed.
// ROOKERY_URL is the server's address, CHROMIUM the browser's program; `cargo xtask test browser` sets both.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { post } from "../clients/person.mjs";
import { enter, freshServer, launch, register, roomOf } from "./shell/visits.mjs";
import { begin, end, isIn, scene, send, shows, WAYS } from "./tabs/scene.mjs";

before(begin);
after(end);

for (const [way, name, query] of WAYS) {
  test(`a_logout_in_one_tab_ends_all_and_leaves_no_database: ${way}`, async (context) => {
    const { roomId, token, open, faults } = await scene(context, `leavers-${name}`, query);
    const tabs = [await open(), await open(), await open()];
    for (const tab of tabs) await isIn(tab, "live");
    await send(tabs[0], roomId, "kept");
    for (const tab of tabs) await shows(tab, roomId, "kept");
    assert.equal((await tabs[0].evaluate(() => indexedDB.databases())).length, 1);
    await tabs[2].evaluate(() => store.logOut());
    for (const tab of tabs) {
      await isIn(tab, "ended");
      assert.equal(await tab.evaluate((key) => store.get(key), `timeline:${roomId}`), undefined);
    }
    await tabs[0].waitForFunction(async () => (await indexedDB.databases()).length === 0);
    assert.equal((await post(token, "{ viewer { isAdmin } }")).data?.viewer ?? null, null);
    assert.deepEqual(faults, []);
  });

  test(`a_login_of_another_user_ends_the_tabs_of_the_first_and_its_session: ${way}`, async (context) => {
    const { token, open, logIn, faults } = await scene(context, `former-${name}`, query);
    const former = [await open(), await open()];
    for (const tab of former) await isIn(tab, "live");
    const session = await logIn(`latter-${name}`, 2);
    const latter = await open(session);
    await isIn(latter, "live");
    for (const tab of former) {
      await isIn(tab, "ended");
      assert.equal(await tab.evaluate(() => store.get("status").reason), "REPLACED");
    }
    const viewer = () => latter.evaluate(() => store.query("{ viewer { user { userId } } }"));
    assert.equal((await viewer()).viewer.user.userId, session.userId);
    assert.equal((await post(token, "{ viewer { isAdmin } }")).data?.viewer ?? null, null);
    assert.deepEqual(faults, []);
  });
}

test("a_tab_that_was_frozen_shows_what_it_missed_when_it_wakes_up", async (context) => {
  const { roomId, open, faults } = await scene(context, "sleeper");
  const [asleep, awake] = [await open(), await open()];
  for (const tab of [asleep, awake]) await isIn(tab, "live");
  await send(awake, roomId, "before");
  await shows(asleep, roomId, "before");
  const devtools = await asleep.context().newCDPSession(asleep);
  await devtools.send("Page.setWebLifecycleState", { state: "frozen" });
  for (let number = 0; number < 50; number++) await send(awake, roomId, `${number}`);
  await shows(awake, roomId, "49");
  await devtools.send("Page.setWebLifecycleState", { state: "active" });
  await shows(asleep, roomId, "49");
  assert.deepEqual(faults, []);
});

test("a_worker_whose_script_did_not_load_is_started_again", async (context) => {
  const { roomId, open, files, faults } = await scene(context, "patient", "&worker=/worker.js");
  let loads = 0;
  // At first it fails, as behind a proxy that cannot reach the server.
  Object.defineProperty(files, "/worker.js", { get: () => (loads++ > 0 ? files["/page.js"] : undefined) });
  const tab = await open();
  await send(tab, roomId, "patience");
  await shows(tab, roomId, "patience");
  assert.ok(loads > 1);
  assert.deepEqual(faults, []);
});

test("a_tab_that_ends_before_it_hears_of_the_next_login_leaves_that_login_alone", async (context) => {
  const browser = await launch();
  context.after(() => browser.close());
  const at = await freshServer(context);
  const [ada, bob] = [await register(at, "ada"), await register(at, "bob")];
  for (const [user, name] of [[ada, "Room of Ada"], [bob, "Room of Bob"]]) await roomOf(at, [user], { name });
  const { page, profile, faults } = await enter({ browser, context, at }, ada);
  // The browser may tell this tab late that another user has logged in.
  await page.addInitScript(() => addEventListener("storage", (event) => event.stopImmediatePropagation()));
  await page.reload();
  await page.getByText("Room of Ada").first().waitFor();
  const other = await profile.newPage();
  await other.goto(`${at}/favicon.svg`);
  await other.evaluate((it) => localStorage.setItem("rookery.session", it), JSON.stringify({ ...bob, since: Date.now() }));
  await other.goto(at);
  for (const tab of [other, page]) await tab.getByText("Room of Bob").first().waitFor();
  assert.equal(await page.evaluate(() => JSON.parse(localStorage.getItem("rookery.session")).userId), bob.userId);
  assert.deepEqual(faults, []);
});
