// The example of the hooks for React, in a real browser.
// ROOKERY_URL is the server's address, CHROMIUM the browser's program; `cargo xtask test browser` sets both.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { CREATE_ROOM, JOIN_ROOM, SEND_MESSAGE } from "../clients/operations.mjs";
import { act, PASSWORD, register } from "../clients/person.mjs";
import { launch } from "./callers.mjs";
import { bundle, site } from "./tabs/site.mjs";

const file = (name) => fileURLToPath(new URL(`../../examples/react/${name}`, import.meta.url));
const read = (name) => readFileSync(file(name), "utf8");

let browser;

before(async () => {
  browser = await launch();
});

after(() => browser?.close());

test("the_example_for_react_has_at_most_100_lines", () => {
  const lines = ["app.jsx", "chat.css", "index.html"].map((name) => read(name).split("\n").length - 1);
  assert.ok(lines.reduce((sum, it) => sum + it) <= 100, lines.join(" + "));
});

test("two_tabs_of_the_example_for_react_show_rooms_messages_and_presence_and_send", async (context) => {
  const [ada, bob] = [await register("react-ada"), await register("react-bob")];
  const { room } = await act(ada.token, CREATE_ROOM, { name: "Hooks", preset: "PUBLIC" });
  await act(bob.token, JOIN_ROOM, { room: { roomId: room.roomId } });
  const script = await bundle(file("app.jsx"), { jsx: "automatic", define: { "process.env.SERVER": "undefined" } });
  const files = { "/": read("index.html"), "/app.js": script, "/chat.css": read("chat.css") };
  const { url, sockets } = await site(context, process.env.ROOKERY_URL, files);
  const profile = await browser.newContext();
  context.after(() => profile.close());
  const faults = [];
  const open = async () => {
    const page = await profile.newPage();
    page.on("pageerror", (error) => faults.push(error.message));
    page.on("console", (message) => message.type() === "error" && faults.push(message.text()));
    await page.goto(url);
    return page;
  };
  const first = await open();
  await first.getByLabel("User name").fill("react-ada");
  await first.getByLabel("Password").fill("not the password");
  await first.getByRole("button", { name: "Log in" }).click();
  await first.locator("output", { hasText: /\w/ }).waitFor();
  await first.getByLabel("User name").fill("react-ada");
  await first.getByLabel("Password").fill(PASSWORD);
  await first.getByRole("button", { name: "Log in" }).click();
  await first.getByText("live").waitFor();
  const second = await open();
  await second.getByText("live").waitFor();
  for (const [page, body] of [[first, "from the first"], [second, "from the second"]]) {
    await page.getByLabel("Message").fill(body);
    await page.getByRole("button", { name: "Send" }).click();
    await second.locator("section p b + *, section p", { hasText: body }).waitFor();
  }
  await act(bob.token, SEND_MESSAGE, { roomId: room.roomId, body: "from bob" });
  const messages = (page) => page.locator("section p:has(b)").allTextContents();
  for (const page of [first, second]) {
    await page.locator("section p", { hasText: "from bob" }).waitFor();
    await page.locator("section p:not(:has(b))").waitFor({ state: "detached" });
    const bodies = (await messages(page)).map((text) => text.slice(text.indexOf("from")));
    assert.deepEqual(bodies, ["from the first", "from the second", "from bob"]);
    await page.locator("b.here").first().waitFor();
  }
  assert.equal(sockets(), 1);
  await second.getByRole("button", { name: "Log out" }).click();
  for (const page of [first, second]) await page.getByRole("button", { name: "Log in" }).waitFor();
  assert.deepEqual(faults, []);
});
