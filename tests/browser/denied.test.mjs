// A browser that denies the page everything that it could keep: cookies, storage, databases, locks, shared workers.
// ROOKERY and CHROMIUM are programs.

import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { chromium } from "playwright-core";
import { freshServer, PASSWORD, register, roomOf, roomTitle } from "./shell/visits.mjs";

/** A browser whose user blocks all site data. */
async function denying(context) {
  const folder = mkdtempSync(join(tmpdir(), "rookery-denied-"));
  mkdirSync(join(folder, "Default"));
  const preferences = { profile: { default_content_setting_values: { cookies: 2 } } };
  writeFileSync(join(folder, "Default", "Preferences"), JSON.stringify(preferences));
  const args = process.getuid() === 0 ? ["--no-sandbox"] : [];
  const browser = await chromium.launchPersistentContext(folder, { executablePath: process.env.CHROMIUM, args, locale: "en-GB" });
  context.after(async () => {
    await browser.close();
    rmSync(folder, { recursive: true });
  });
  return browser;
}

async function logIn(page, at, username, path) {
  await page.goto(at + path);
  await page.getByRole("button", { name: "Log in", exact: true }).click();
  await page.getByLabel("User name").fill(username);
  await page.getByLabel("Password").fill(PASSWORD);
  await page.getByRole("button", { name: "Log in and join" }).click();
}

test("without_any_storage_each_tab_has_a_login_of_its_own_that_lasts_as_long_as_the_tab", async (context) => {
  const at = await freshServer(context);
  const [ada] = [await register(at, "ada"), await register(at, "bob")];
  const roomId = await roomOf(at, [ada], { name: "Tea" });
  const browser = await denying(context);
  const pages = [];
  const faults = [];
  for (const username of ["ada", "bob"]) {
    const page = await browser.newPage();
    page.on("pageerror", (error) => faults.push(error.message));
    await page.goto(at);
    assert.match(await page.evaluate(() => (() => { try { return String(localStorage.length); } catch (error) { return error.name; } })()), /SecurityError/);
    await page.getByText("keeps nothing for this page").waitFor();
    await logIn(page, at, username, `/room/${roomId}`);
    await roomTitle(page, "Tea").waitFor();
    pages.push(page);
  }
  const [first, second] = pages;
  const say = async (page, text) => {
    await page.getByRole("textbox", { name: /message to/i }).fill(text);
    await page.getByRole("textbox", { name: /message to/i }).press("Enter");
  };
  await say(first, "Hello from Ada");
  await second.locator(".line .body", { hasText: "Hello from Ada" }).waitFor();
  await say(second, "Hello from Bob");
  await first.locator(".line .body", { hasText: "Hello from Bob" }).waitFor();
  await first.reload();
  await first.getByLabel("User name").waitFor();
  assert.deepEqual(faults, []);
});
