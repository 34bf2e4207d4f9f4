// The whole conversation by keyboard alone, and by ear: each new message is said once, and the timeline can be read again.
// ROOKERY is the server, CHROMIUM the browser; `cargo xtask test browser` sets them.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { launch } from "./setting/pages.mjs";
import { enter, pathOf, register, roomOf, say, shown } from "./setting/people.mjs";

let browser;

before(async () => {
  browser = await launch();
});

after(() => browser?.close());

/** A user with a room and another member, on a page that nobody points at. */
async function alone(context, path) {
  const users = [await register("ada"), await register("bob")];
  const roomId = await roomOf(users, "Engine room");
  const opened = await enter({ browser, context }, users[0], path === "room" ? pathOf(roomId) : "/");
  return { ...opened, users, roomId };
}

const focused = (page) =>
  page.evaluate(() => {
    const element = document.activeElement?.closest("a, button, input, textarea, .line");
    return element?.getAttribute("aria-label") ?? element?.textContent?.trim().slice(0, 80) ?? "";
  });

/** Presses Tab until the focus is on something with this name. */
async function tabTo(page, name, key = "Tab") {
  for (let at = 0; at < 60; at += 1) {
    await page.keyboard.press(key);
    if ((await focused(page)).includes(name)) return;
  }
  assert.fail(`Tab never leads to ${name}; it is at ${await focused(page)}`);
}

/** Moves the focus from row to row until one has this text. */
async function arrowTo(page, text, key = "ArrowUp") {
  for (let at = 0; at < 60; at += 1) {
    const row = await page.evaluate(() => document.activeElement?.closest(".line")?.textContent ?? "");
    if (row.includes(text)) return;
    await page.keyboard.press(key);
  }
  assert.fail(`no row has ${text}`);
}

test("a_conversation_by_keyboard_alone", async (context) => {
  const { page, faults, users, roomId } = await alone(context, "/");
  await say(users[1], roomId, "a question");
  await page.locator(".sidebar", { hasText: "a question" }).waitFor();
  // Into the room, and to the field.
  await tabTo(page, "Engine room");
  await page.keyboard.press("Enter");
  await shown(page, "a question");
  await tabTo(page, "Message to");
  await page.keyboard.type("an answer :tada:");
  await page.keyboard.press("Shift+Enter");
  await page.keyboard.type("in two lines");
  await page.keyboard.press("Enter");
  await shown(page, "an answer 🎉\nin two lines");
  // Change it.
  await page.locator(".echo-message").first().waitFor({ state: "detached" });
  await page.keyboard.press("ArrowUp");
  await page.getByText("Editing").waitFor();
  await page.keyboard.press("ControlOrMeta+a");
  await page.keyboard.type("a better answer");
  await page.keyboard.press("Enter");
  await shown(page, "a better answer");
  await page.locator(".edited").waitFor();
  // Mention somebody from the list.
  await page.keyboard.type(`@${users[1].username.slice(0, 3)}`);
  await page.locator(".choice").first().waitFor();
  await page.keyboard.press("Enter");
  await page.keyboard.type("look");
  await page.keyboard.press("Enter");
  await shown(page, `@${users[1].username} look`);
  // Reply to the first message: back into the timeline, up to its row.
  await page.locator(".echo-message").first().waitFor({ state: "detached" });
  await page.keyboard.press("Shift+Tab");
  await tabToRow(page);
  await arrowTo(page, "a question");
  await page.keyboard.press("r");
  await page.getByText(`Replying to`).waitFor();
  await page.keyboard.type("to the question");
  await page.keyboard.press("Enter");
  await page.locator(".quote", { hasText: "a question" }).waitFor();
  // React with the buttons of the row.
  await page.keyboard.press("Shift+Tab");
  await tabToRow(page);
  await arrowTo(page, "a question", "ArrowUp");
  await page.keyboard.press("Enter");
  assert.match(await focused(page), /React/);
  await page.keyboard.press("Enter");
  await page.waitForFunction(() => document.activeElement?.getAttribute("aria-label")?.includes("👍"));
  await page.keyboard.press("Enter");
  await page.locator(".reaction", { hasText: "👍" }).waitFor();
  // Open a thread, answer in it, and close it.
  await page.keyboard.press("Escape");
  await tabToRow(page);
  await arrowTo(page, "a question");
  await page.keyboard.press("t");
  await page.locator(".thread .composer-field").waitFor();
  // The field of the thread has the focus.
  await page.waitForFunction(() => document.activeElement?.closest(".thread") !== null);
  await page.keyboard.type("in the thread");
  await page.keyboard.press("Enter");
  await page.locator(".thread .line", { hasText: "in the thread" }).waitFor();
  assert.ok((await page.locator(".thread .scroller").boundingBox()).height > 200, "the thread has room");
  await page.locator(".thread-link", { hasText: "1 reply" }).waitFor();
  await page.keyboard.press("Escape");
  await page.locator(".thread").waitFor({ state: "detached" });
  // The focus is back on the row. Delete a message.
  await page.waitForFunction(() => document.activeElement?.classList.contains("line"));
  await page.keyboard.press("End");
  await arrowTo(page, "a better answer");
  await page.keyboard.press("Enter");
  await tabTo(page, "Delete");
  await page.keyboard.press("Enter");
  await page.locator("dialog").waitFor();
  await tabTo(page, "Delete");
  await page.keyboard.press("Enter");
  await page.locator(".redacted").waitFor();
  assert.deepEqual(faults, []);
});

/** Presses Tab until a row of the timeline has the focus. */
async function tabToRow(page) {
  for (let at = 0; at < 60; at += 1) {
    if (await page.evaluate(() => document.activeElement?.classList.contains("line") ?? false)) return;
    await page.keyboard.press("Shift+Tab");
  }
  assert.fail(`no row is reached; the focus is at ${await focused(page)}`);
}

test("a_live_region_says_each_new_message_once", async (context) => {
  const { page, users, roomId } = await alone(context, "room");
  await say(users[1], roomId, "from before");
  await shown(page, "from before");
  await page.evaluate(() => {
    globalThis.said = [];
    const region = document.querySelector('[role="log"]');
    new MutationObserver((records) => {
      for (const { addedNodes } of records) for (const node of addedNodes) globalThis.said.push(node.textContent);
    }).observe(region, { childList: true, subtree: true, characterData: true });
  });
  for (let at = 0; at < 8; at += 1) {
    await say(users[1], roomId, `news ${at}`);
    await shown(page, `news ${at}`);
  }
  const name = users[1].username;
  const plain = (texts) => texts.map((text) => text.replaceAll(/[\u2066-\u2069]/g, ""));
  await page.waitForFunction(() => globalThis.said.length >= 8);
  assert.deepEqual(plain(await page.evaluate(() => globalThis.said)), Array.from({ length: 8 }, (_, at) => `${name}: news ${at}`));
  // Older messages that come in are not said.
  await page.mouse.move(800, 300);
  await page.mouse.wheel(0, -2000);
  await page.locator(".is-start").waitFor();
  assert.equal((await page.evaluate(() => globalThis.said)).length, 8);
});

test("the_timeline_can_be_read_again_row_by_row", async (context) => {
  const { page, users, roomId } = await alone(context, "room");
  for (let at = 0; at < 250; at += 1) await say(users[1], roomId, `line ${at}.`);
  await shown(page, "line 249.");
  await page.locator(".line[tabindex='0']").focus();
  await page.keyboard.press("End");
  for (let at = 249; at >= 0; at -= 1) {
    const row = await page.evaluate(() => document.activeElement?.textContent ?? "");
    assert.ok(row.includes(`line ${at}.`), `${at}: the focus is on ${row}`);
    // Pages come in while the reader goes up.
    await page.keyboard.press("ArrowUp");
    await page.waitForFunction((text) => !document.activeElement?.textContent.includes(text), `line ${at}.`);
  }
  const isInView = await page.evaluate(() => {
    const { top, bottom } = document.activeElement.getBoundingClientRect();
    const frame = document.querySelector(".scroller").getBoundingClientRect();
    return top >= frame.top - 1 && bottom <= frame.bottom + 1;
  });
  assert.ok(isInView);
  assert.equal(await page.locator(".line[tabindex='0']").count(), 1);
});
