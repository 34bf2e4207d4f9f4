// The server is killed and started again while two users talk. ROOKERY is the server, CHROMIUM the browser.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { after, before, test } from "node:test";
import { freePort } from "../relays.mjs";
import { launch } from "./setting/pages.mjs";
import { enter, pathOf, register, roomOf, shown, texts, write } from "./setting/people.mjs";

let browser;

before(async () => {
  browser = await launch();
});

after(() => browser?.close());

/** Starts a server at a port, with this data. */
async function start(port, data) {
  const child = spawn(process.env.ROOKERY, ["serve", "--listen", `127.0.0.1:${port}`, "--data", data], { stdio: ["ignore", "ignore", "pipe"] });
  const lines = createInterface({ input: child.stderr });
  await new Promise((resolve, reject) => {
    lines.on("line", (line) => line.includes("listening on") && resolve());
    lines.on("close", () => reject(new Error("the server did not start")));
  });
  return child;
}

async function kill(child) {
  child.kill("SIGKILL");
  await once(child, "exit");
}

test("a_server_that_was_killed_and_started_again_has_each_message_once", async (context) => {
  const data = mkdtempSync(join(tmpdir(), "rookery-chat-"));
  const port = await freePort();
  const at = `http://127.0.0.1:${port}`;
  let child = await start(port, data);
  context.after(async () => {
    if (child.exitCode === null && child.signalCode === null) await kill(child);
    rmSync(data, { recursive: true });
  });
  const users = [await register("ada", at), await register("bob", at)];
  const roomId = await roomOf(users, "Deck", at);
  const pages = [];
  for (const user of users) pages.push((await enter({ browser, context }, user, pathOf(roomId), { at })).page);
  await write(pages[0], "before");
  await shown(pages[1], "before");
  await kill(child);
  for (let number = 1; number <= 4; number += 1) for (const [which, page] of pages.entries()) await write(page, `${which} said ${number}`);
  await pages[0].locator(".echo-message.queued").nth(3).waitFor();
  child = await start(port, data);
  for (const page of pages) {
    await shown(page, "0 said 4");
    await shown(page, "1 said 4");
    await page.locator(".echo-message").first().waitFor({ state: "detached" });
    const all = await texts(page);
    for (const which of [0, 1]) {
      assert.deepEqual(all.filter((text) => text.startsWith(`${which} said`)), [1, 2, 3, 4].map((number) => `${which} said ${number}`));
    }
  }
  assert.deepEqual(await texts(pages[0]), await texts(pages[1]));
  await write(pages[1], "after");
  await shown(pages[0], "after");
});
