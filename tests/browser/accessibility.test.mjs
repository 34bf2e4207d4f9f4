// Every screen of the shell has no violation of axe-core in light, dark, high contrast and right to left.
// ROOKERY and CHROMIUM are programs.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { after, before, test } from "node:test";
import { furnished, screens, show } from "./shell/screens.mjs";
import { enter, freshServer, launch, visit } from "./shell/visits.mjs";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

let browser;

before(async () => {
  browser = await launch();
});

after(() => browser?.close());

/** The violations of the page, one line each. */
async function violations(page) {
  // The page's policy allows no script of ours: the browser runs it in a world of its own.
  const session = await page.context().newCDPSession(page);
  const { frameTree } = await session.send("Page.getFrameTree");
  const { executionContextId } = await session.send("Page.createIsolatedWorld", { frameId: frameTree.frame.id });
  const run = async (expression) => {
    const options = { expression, contextId: executionContextId, awaitPromise: true, returnByValue: true };
    const { result, exceptionDetails } = await session.send("Runtime.evaluate", options);
    assert.equal(exceptionDetails, undefined, JSON.stringify(exceptionDetails?.exception));
    return result.value;
  };
  await run(axe);
  const found = await run("axe.run(document).then(({ violations }) => violations.map((it) => [it.id, it.nodes.map((node) => node.html + node.failureSummary)]))");
  await session.detach();
  return found.map(([id, nodes]) => `${id}: ${nodes.slice(0, 3).join(" | ")}`);
}

for (const look of ["theme=light", "theme=dark", "theme=contrast", "theme=light&language=ar"]) {
  test(`axe_finds_no_violation_on_any_screen: ${look}`, async (context) => {
    const place = await furnished(context, browser);
    const { page: stranger } = await visit(place, `/?${look}`);
    await stranger.locator("form").waitFor();
    assert.deepEqual(await violations(stranger), [], "first visit");
    const { page, faults } = await enter(place, place.ada);
    for (const [path, selector] of Object.entries(screens(place.roomId, place.bob))) {
      await show(page, place, path, look, selector);
      assert.deepEqual(await violations(page), [], path);
    }
    await show(page, place, `/room/${place.roomId}/members`, look, ".member");
    await page.locator(".room-line").first().waitFor();
    await page.locator("header .menu button").last().click();
    assert.deepEqual(await violations(page), [], "menu");
    await page.locator('[role="menu"] .bad').click();
    await page.locator("dialog[open]").waitFor();
    assert.deepEqual(await violations(page), [], "dialog");
    assert.deepEqual(faults, []);
  });
}

test("axe_finds_a_violation_if_there_is_one", async (context) => {
  const place = { browser, context, at: await freshServer(context) };
  const { page } = await visit(place);
  await page.locator("form").waitFor();
  await page.evaluate(() => document.querySelector("label").remove());
  assert.match((await violations(page)).join(), /\blabel:/);
});
