// What people do around the conversation: invites, the directory, settings of rooms and of themselves, devices, the server.
// ROOKERY and CHROMIUM are programs.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { act, ask, enter, freshServer, launch, PASSWORD, register, roomOf, roomTitle } from "./shell/visits.mjs";

let browser;

before(async () => {
  browser = await launch();
});

after(() => browser?.close());

/** A fresh server with two users. */
async function two(context) {
  const at = await freshServer(context);
  const [ada, bob] = [await register(at, "ada"), await register(at, "bob")];
  return { browser, context, at, ada, bob };
}

test("an_invite_appears_at_once_and_leads_into_the_room", async (context) => {
  const place = await two(context);
  const { page, faults } = await enter(place, place.bob);
  await page.getByText("No rooms yet").waitFor();
  const made = { name: "Garden", invite: [place.bob.userId] };
  await act(place.at, place.ada.token, "createRoom", made, "room { roomId } refusal { code }");
  await page.getByRole("button", { name: /Join .*Garden/ }).click();
  await roomTitle(page, "Garden").waitFor();
  await page.getByRole("button", { name: /Join .*Garden/ }).waitFor({ state: "detached" });
  assert.deepEqual(faults, []);
});

test("a_declined_invite_goes_away", async (context) => {
  const place = await two(context);
  await act(place.at, place.ada.token, "createRoom", { name: "Garden", invite: [place.bob.userId] });
  const { page } = await enter(place, place.bob);
  await page.getByRole("button", { name: /Decline .*Garden/ }).click();
  await page.getByText("Garden").waitFor({ state: "detached" });
});

test("a_listed_room_is_found_in_the_directory_and_joined", async (context) => {
  const place = await two(context);
  await roomOf(place.at, [place.ada], { name: "Tea", isListed: true });
  await roomOf(place.at, [place.ada], { name: "Coffee", isListed: true });
  const { page, faults } = await enter(place, place.bob, "/rooms");
  await page.getByText("2 rooms").waitFor();
  await page.getByLabel("Search by name, topic or address").fill("coff");
  await page.getByText("1 room", { exact: true }).waitFor();
  await page.getByRole("link", { name: /Coffee/ }).click();
  await page.getByRole("button", { name: "Join", exact: true }).click();
  await page.getByRole("button", { name: "Members" }).waitFor();
  await roomTitle(page, "Coffee").waitFor();
  assert.deepEqual(faults, []);
});

test("a_room_is_created_with_people_who_are_found_by_name", async (context) => {
  const place = await two(context);
  const { page, faults } = await enter(place, place.ada, "/new");
  await page.getByLabel("Name").fill("Workshop");
  await page.getByLabel("Invite people").fill("bo");
  await page.getByRole("button", { name: /bob/ }).first().click();
  await page.getByRole("button", { name: "Create room" }).click();
  await roomTitle(page, "Workshop").waitFor();
  const { viewer } = await ask(place.bob.token, "{ viewer { rooms(membership: INVITE) { nodes { displayName } } } }", {}, place.at);
  assert.deepEqual(viewer.rooms.nodes, [{ displayName: "Workshop" }]);
  assert.deepEqual(faults, []);
});

test("a_room_that_was_replaced_leads_to_the_new_one_and_back", async (context) => {
  const place = await two(context);
  const old = await roomOf(place.at, [place.ada, place.bob], { name: "Tea" });
  const { page, faults } = await enter(place, place.ada, `/room/${old}`);
  await page.getByRole("textbox", { name: /message to/i }).waitFor();
  await act(place.at, place.ada.token, "upgradeRoom", { roomId: old, newVersion: "12" });
  await page.getByText("This room was replaced").waitFor();
  const link = page.getByRole("link", { name: "Go to the new room" });
  const path = new URL(await link.evaluate((it) => it.href)).pathname;
  await link.click();
  await page.waitForURL(place.at + path);
  await page.getByRole("textbox", { name: /message to/i }).waitFor();
  assert.equal(await link.count(), 0);
  await page.getByRole("link", { name: "Earlier messages" }).click();
  await page.getByText("This room was replaced").waitFor();
  assert.deepEqual(faults, []);
});

test("who_asks_to_join_is_let_in_from_the_list_of_members", async (context) => {
  const place = await two(context);
  const eve = await register(place.at, "eve");
  const roomId = await roomOf(place.at, [place.ada], { name: "Club", preset: "PRIVATE" });
  await act(place.at, place.ada.token, "setJoinRule", { roomId, joinRule: { kind: "KNOCK" } });
  const { page, faults } = await enter(place, place.bob, `/room/${roomId}`);
  await page.getByRole("button", { name: "Ask to join" }).click();
  await page.getByText("see that you want to join").waitFor();
  // It is still there when the door is opened again, and can be withdrawn.
  await page.reload();
  await page.getByRole("button", { name: "Withdraw the request" }).click();
  await page.getByRole("button", { name: "Ask to join" }).click();
  await page.getByRole("button", { name: "Withdraw the request" }).waitFor();
  await act(place.at, eve.token, "knockOnRoom", { room: { roomId } });
  const owner = await enter(place, place.ada, `/room/${roomId}/members`);
  const line = (name) => owner.page.locator(".member", { hasText: name });
  await line("eve").getByRole("button", { name: "Refuse" }).click();
  await line("eve").waitFor({ state: "detached" });
  await line("bob").getByRole("button", { name: "Let in" }).click();
  await page.getByRole("button", { name: /Join .*Club/ }).click();
  await roomTitle(page, "Club").waitFor();
  assert.deepEqual([...faults, ...owner.faults], []);
});

test("settings_of_a_room_change_it_on_other_screens_and_are_read_only_without_the_power", async (context) => {
  const place = await two(context);
  const roomId = await roomOf(place.at, [place.ada, place.bob]);
  const { page: bob } = await enter(place, place.bob, `/room/${roomId}/settings`);
  await bob.getByLabel("Name").waitFor();
  assert.ok(!(await bob.getByLabel("Name").isEditable()));
  assert.ok(await bob.getByLabel("Who may join").isDisabled());
  const { page: ada } = await enter(place, place.ada, `/room/${roomId}/settings`);
  await ada.getByLabel("Name").fill("Tea and cake");
  await ada.getByLabel("Topic").fill("Four o'clock");
  await ada.getByRole("button", { name: "Save" }).click();
  await roomTitle(bob, "Tea and cake").waitFor();
  await bob.locator("header").getByText("Four o'clock").waitFor();
  await ada.getByLabel("Who may join").selectOption({ label: "Invited people" });
  await bob.waitForFunction(() => document.querySelector(".panel select")?.value === "INVITE");
});

test("a_member_is_removed_from_the_list_of_members_and_told_who_did_it", async (context) => {
  const place = await two(context);
  const roomId = await roomOf(place.at, [place.ada, place.bob]);
  const { page: bob } = await enter(place, place.bob, `/room/${roomId}`);
  await roomTitle(bob, "Tea").waitFor();
  const { page: ada } = await enter(place, place.ada, `/room/${roomId}/members`);
  await ada.getByRole("button", { name: /Actions for .*bob/ }).click();
  await ada.getByRole("menuitem", { name: "Ban" }).click();
  await ada.getByLabel("Reason, for everyone in the room").fill("too loud");
  await ada.getByRole("button", { name: "Ban", exact: true }).click();
  await bob.getByText("banned you from this room").waitFor();
  await ada.getByRole("button", { name: "Lift the ban" }).click();
  await ada.getByRole("button", { name: "Lift the ban" }).waitFor({ state: "detached" });
});

test("another_device_is_logged_out_from_the_list_of_devices", async (context) => {
  const place = await two(context);
  const login = "mutation($input: LogInInput!) { logIn(input: $input) { token deviceId user { userId } } }";
  const input = { username: "ada", password: PASSWORD, deviceName: "Old phone" };
  const { logIn } = await ask(null, login, { input }, place.at);
  const phone = { token: logIn.token, deviceId: logIn.deviceId, userId: logIn.user.userId };
  const { page: other } = await enter(place, phone);
  await other.getByText("No rooms yet").waitFor();
  const { page } = await enter(place, place.ada, "/devices");
  await page.getByRole("button", { name: /Log out .*Old phone/ }).click();
  await other.getByText("Your session has ended").waitFor();
  await page.getByText("Old phone").waitFor({ state: "detached" });
});

test("name_status_language_and_colours_stay_as_they_were_chosen", async (context) => {
  const place = await two(context);
  const { page, faults } = await enter(place, place.ada, "/settings");
  await page.getByLabel("Name that others see").fill("Ada L.");
  await page.getByLabel("Status", { exact: true }).fill("Reading");
  await page.getByRole("button", { name: "Save" }).click();
  await page.locator("nav").getByText("Ada L.").waitFor();
  await page.getByLabel("Colours").selectOption({ label: "Dark" });
  await page.getByRole("button", { name: "Deutsch" }).click();
  await page.getByRole("heading", { name: "Einstellungen" }).waitFor();
  await page.reload();
  await page.getByRole("heading", { name: "Einstellungen" }).waitFor();
  const html = page.locator("html");
  assert.equal(await html.getAttribute("data-theme"), "dark");
  assert.match(await html.getAttribute("lang"), /^de/);
  const { user } = await ask(place.bob.token, "query($id: UserID!) { user(userId: $id) { displayName } }", { id: place.ada.userId }, place.at);
  assert.equal(user.displayName, "Ada L.");
  assert.deepEqual(faults, []);
});

test("the_line_of_a_conversation_of_two_shows_whether_the_other_user_is_there", async (context) => {
  const place = await two(context);
  const input = { isDirect: true, invite: [place.bob.userId] };
  const { room } = await act(place.at, place.ada.token, "createRoom", input, "room { roomId } refusal { code }");
  await act(place.at, place.ada.token, "setRoomPreferences", { roomId: room.roomId, isDirect: true });
  const { page, faults } = await enter(place, place.ada);
  const line = page.locator(".room-line", { hasText: "bob" });
  await line.waitFor();
  assert.equal(await line.locator(".presence").count(), 0, "bob has not come yet");
  await act(place.at, place.bob.token, "joinRoom", { room: { roomId: room.roomId } });
  const { page: bob, profile } = await enter(place, place.bob);
  await line.locator(".presence.online").waitFor();
  await line.getByText("Online").waitFor({ state: "attached" });
  await bob.getByRole("button", { name: "Your menu" }).click();
  await bob.getByRole("menuitemradio", { name: "Away" }).click();
  await line.locator(".presence.unavailable").waitFor();
  await profile.close();
  await line.locator(".presence").waitFor({ state: "detached" });
  assert.deepEqual(faults, []);
});

test("a_parked_room_is_shown_to_the_administrator_and_is_gone_after_a_retry", async (context) => {
  const folder = mkdtempSync(join(tmpdir(), "rookery-parked-"));
  context.after(() => rmSync(folder, { recursive: true }));
  const unfit = join(folder, "unfit");
  const at = await freshServer(context, [], { ROOKERY_UNFIT: unfit });
  const [ada, bob] = [await register(at, "ada"), await register(at, "bob")];
  const place = { browser, context, at };
  const roomId = await roomOf(at, [ada, bob], { name: "Cellar" });
  writeFileSync(unfit, `room/${roomId}\n`);
  await act(at, bob.token, "sendMessage", { roomId, body: "from below" });
  const { page, faults } = await enter(place, ada, "/operator");
  const parked = page.locator(".card", { hasText: roomId }).filter({ hasText: "a test asked to refuse this stream" }).first();
  await parked.waitFor();
  await page.locator("td.late").first().waitFor();
  // As long as the cause is there, a retry changes nothing.
  await page.getByRole("button", { name: "Try again" }).click();
  await page.getByText("0 streams applied").waitFor();
  assert.ok(await parked.isVisible());
  rmSync(unfit);
  await page.getByRole("button", { name: "Try again" }).click();
  await page.getByText(/[1-9]\d* streams? applied/).waitFor();
  await page.getByRole("heading", { name: "Parked streams" }).waitFor({ state: "detached" });
  assert.equal(await page.locator("td.late").count(), 0);
  const query = "query ($roomId: RoomID!) { room(by: { roomId: $roomId }) { timeline(last: 1) { nodes { text } } } }";
  const { nodes } = (await ask(ada.token, query, { roomId }, at)).room.timeline;
  assert.deepEqual(nodes, [{ text: "from below" }]);
  assert.deepEqual(faults, []);
});

test("administrator_rebuilds_on_the_page_of_the_server_and_nobody_else_sees_it", async (context) => {
  const place = await two(context);
  await roomOf(place.at, [place.ada, place.bob], { name: "Tea" });
  const { page, faults } = await enter(place, place.ada, "/operator");
  await page.getByRole("cell", { name: "0" }).first().waitFor();
  await page.getByRole("button", { name: "Rebuild" }).click();
  await page.getByText("The rebuild has begun").waitFor();
  await page.getByLabel("Search by name, topic, address or ID").fill("te");
  await page.locator(".card").getByText("Tea", { exact: true }).waitFor();
  const { page: bob } = await enter(place, place.bob, "/operator");
  await bob.getByText("Only administrators of this server see this page").waitFor();
  await bob.getByRole("button", { name: "Your menu" }).click();
  await bob.getByRole("menuitem", { name: "Log out" }).waitFor();
  assert.equal(await bob.getByRole("menuitem", { name: "Server" }).count(), 0);
  assert.deepEqual(faults, []);
});
