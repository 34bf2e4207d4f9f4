// From a fresh server to a conversation in two windows, as README.md says: its command, and three clicks.
// ROOKERY and CHROMIUM are programs. With SCREENSHOTS=1 it writes the pictures of docs/images again.

import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { after, before, test } from "node:test";
import { freshServer, launch, PASSWORD, roomTitle, visit } from "./shell/visits.mjs";

let browser;

before(async () => {
  browser = await launch();
});

after(() => browser?.close());

const images = fileURLToPath(new URL("../../docs/images/", import.meta.url));

async function picture(page, name) {
  if (!process.env.SCREENSHOTS) return;
  mkdirSync(images, { recursive: true });
  await page.screenshot({ path: `${images}${name}.png` });
}

/** Counts the clicks of a window, those of its keyboard included. */
async function counted(page) {
  await page.addInitScript(() => {
    addEventListener("click", () => sessionStorage.setItem("clicks", String(Number(sessionStorage.getItem("clicks") ?? 0) + 1)), true);
  });
  await page.reload();
}

const clicks = (page) => page.evaluate(() => Number(sessionStorage.getItem("clicks") ?? 0));

async function fillIn(page, username) {
  await page.getByLabel("User name").fill(username);
  await page.getByLabel("Password").fill(PASSWORD);
}

async function say(page, text) {
  const composer = page.getByRole("textbox", { name: /message/i });
  await composer.fill(text);
  await composer.press("Enter");
}

test("three_clicks_lead_from_a_fresh_server_to_a_conversation_in_two_windows", async (context) => {
  const at = await freshServer(context);
  const place = { browser, context, at };
  const size = { viewport: { width: 1000, height: 640 } };
  const { page: ada, faults } = await visit(place, "/", size);
  await counted(ada);
  await ada.getByLabel("User name").waitFor();
  await picture(ada, "first-visit");
  await fillIn(ada, "ada");
  await ada.getByRole("button", { name: "Create account" }).click();
  await ada.getByRole("button", { name: "Create room" }).click();
  await roomTitle(ada, "Living room").waitFor();
  // The address of the room is the link to it.
  const link = ada.url();
  assert.match(link, /\/room\/!/);

  const { page: bob, faults: others } = await visit(place, new URL(link).pathname, size);
  await counted(bob);
  await fillIn(bob, "bob");
  await bob.getByRole("button", { name: "Create account and join" }).click();
  await roomTitle(bob, "Living room").waitFor();
  assert.deepEqual([await clicks(ada), await clicks(bob)], [2, 1]);

  await say(ada, "Hello Bob, the kettle is on.");
  await bob.getByText("the kettle is on").first().waitFor();
  await say(bob, "I bring the cake.");
  await ada.getByText("I bring the cake.").first().waitFor();
  await picture(ada, "conversation");
  assert.deepEqual([...faults, ...others], []);
});

test("copied_link_of_a_room_is_its_address", async (context) => {
  const at = await freshServer(context);
  const { page, profile } = await visit({ browser, context, at });
  await profile.grantPermissions(["clipboard-read", "clipboard-write"]);
  await fillIn(page, "ada");
  await page.getByRole("button", { name: "Create account" }).click();
  await page.getByRole("button", { name: "Create room" }).click();
  await page.getByRole("button", { name: "Copy link" }).click();
  await page.getByText("Link copied").waitFor();
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), page.url());
});

test("a_closed_registration_leads_to_the_login", async (context) => {
  const at = await freshServer(context, ["--registration", "closed"]);
  const { page, faults } = await visit({ browser, context, at });
  await fillIn(page, "ada");
  await page.getByRole("button", { name: "Create account" }).click();
  await page.getByRole("alert").filter({ hasText: "does not let you create an account" }).waitFor();
  await page.getByRole("button", { name: "Log in" }).click();
  await page.getByRole("heading", { name: "Welcome back" }).waitFor();
  assert.deepEqual(faults, []);
});
