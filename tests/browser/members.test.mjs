// The list of the members of a large room. ROOKERY and CHROMIUM are programs.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { importedChannel } from "./shell/imported.mjs";
import { enter, launch } from "./shell/visits.mjs";

/** Beside the sailors there are the user of the test, and the import as the creator. */
const MEMBERS = 1_500;

let browser;

before(async () => {
  browser = await launch();
});

after(() => browser?.close());

/** Runs in the page: scrolls to the end, and returns the users that were in the page, and the most lines at a time. */
async function scrollThrough() {
  const panel = document.querySelector(".panel-body");
  const [seen, idle] = [new Set(), 120];
  let most = 0;
  for (let still = 0; still < idle; still += 1) {
    const lines = document.querySelectorAll(".members .member");
    most = Math.max(most, lines.length);
    const before = seen.size;
    for (const line of lines) seen.add(line.querySelector("a").pathname);
    if (seen.size > before) still = 0;
    panel.scrollTop += 1_500;
    await new Promise(requestAnimationFrame);
  }
  return { seen: seen.size, most };
}

test("all_members_of_a_room_of_1500_are_listed_and_few_are_in_the_page", async (context) => {
  const { at, ada, roomId } = await importedChannel(context, { sailors: MEMBERS - 2, messages: 10 });
  const { page, faults } = await enter({ browser, context, at }, ada, `/room/${roomId}/members`);
  await page.locator(".panel-body").getByText(`${MEMBERS.toLocaleString("en")} members`).waitFor();
  const { seen, most } = await page.evaluate(scrollThrough);
  assert.equal(seen, MEMBERS);
  assert.ok(most <= 100, `${most} lines are in the page`);
  assert.equal(await page.locator(".member").last().getAttribute("aria-setsize"), String(MEMBERS));
  assert.equal(await page.locator(".member").last().getAttribute("aria-posinset"), String(MEMBERS));
  // A search looks at all of them.
  await page.locator(".panel-body .search").fill("sailor1497");
  await page.locator(".members .member").filter({ hasText: "sailor1497" }).waitFor();
  assert.equal(await page.locator(".members .member").count(), 1);
  assert.deepEqual(faults, []);
});
