// The server is updated while a page is open: the page is loaded again, once, and the text that was typed in it stays.
// ROOKERY and CHROMIUM are programs.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { bundle } from "../../crates/web/app/build.mjs";
import { enter, freshServer, launch, register, roomOf } from "./shell/visits.mjs";
import { site } from "./tabs/site.mjs";

let browser;
let releases;

before(async () => {
  browser = await launch();
  const files = await bundle({ minify: false });
  releases = [1, 2].map((protocol) => release(files, protocol));
});

after(() => browser?.close());

/** The files of a release by path. Its pages and its worker talk in this version of the protocol, and their names tell it. */
function release(bundled, protocol) {
  assert.ok([...bundled.values()].some((text) => /\bPROTOCOL = \d+;/.test(text)));
  const renamed = (text) => text.replaceAll(/-([A-Z0-9]{8})\.(js|css)/g, `-$1-${protocol}.$2`);
  const texts = [...bundled].map(([name, text]) => [renamed(name), renamed(text).replaceAll(/\bPROTOCOL = \d+;/g, `PROTOCOL = ${protocol};`)]);
  const files = Object.fromEntries(texts.map(([name, text]) => [`/web/${name}`, text]));
  return { ...files, "/": files["/web/chat.html"], "/favicon.svg": "<svg xmlns='http://www.w3.org/2000/svg'/>" };
}

/** Serves the first release in front of a server, with a user in a room. The paths of rooms get the page too. */
async function updated(context) {
  const at = await freshServer(context);
  const ada = await register(at, "ada");
  const roomId = await roomOf(at, [ada], { name: "Tea" });
  const path = `/room/${roomId}`;
  const files = {};
  const serve = (number) => Object.assign(files, releases[number], { [path]: releases[number]["/"] });
  serve(0);
  const { url } = await site(context, at, files);
  const { page, profile } = await enter({ browser, context, at: url }, ada, path);
  return { page, profile, url, path, update: () => serve(1) };
}

const field = (page) => page.locator(".composer-field").first();

/** Counts the loads of a page from now on. */
const countLoads = (page) => page.addInitScript(() => sessionStorage.setItem("loads", String(Number(sessionStorage.getItem("loads") ?? 0) + 1)));
const loads = (page) => page.evaluate(() => Number(sessionStorage.getItem("loads") ?? 0));

test("an_outdated_page_is_loaded_again_once_and_its_text_stays", async (context) => {
  const { page, profile, url, path, update } = await updated(context);
  await field(page).fill("half a sen");
  await countLoads(page);
  update();
  const newer = await profile.newPage();
  // The last letters are typed while the engine of the new release takes over.
  await page.evaluate(() => {
    const field = document.querySelector(".composer-field");
    let letters = 0;
    setInterval(() => {
      if (!field.isConnected) return;
      field.value = `half a sentence ${(letters += 1)}`;
      field.dispatchEvent(new InputEvent("input", { bubbles: true }));
      sessionStorage.setItem("typed", field.value);
    }, 10);
  });
  await newer.goto(url + path);
  await field(newer).waitFor();
  await page.waitForFunction(() => Number(sessionStorage.getItem("loads")) === 1);
  await page.waitForFunction(() => document.querySelector(".composer-field")?.value);
  assert.equal(await field(page).inputValue(), await page.evaluate(() => sessionStorage.getItem("typed")));
  assert.equal(await loads(page), 1);
  // The text is a draft like any other now.
  const typed = await field(page).inputValue();
  await page.reload();
  await page.waitForFunction((typed) => document.querySelector(".composer-field")?.value === typed, typed);
  // Both work with the new engine.
  await field(newer).fill("from the new page");
  await field(newer).press("Enter");
  for (const it of [page, newer]) await it.locator(".line", { hasText: "from the new page" }).waitFor();
});

test("an_outdated_page_is_not_loaded_in_a_loop_if_a_cache_goes_on_serving_the_old_one", async (context) => {
  const { page, profile, url, path, update } = await updated(context);
  await field(page).waitFor();
  await countLoads(page);
  // This tab goes on getting the old page and the old script.
  const old = { ...releases[0], [path]: releases[0]["/"] };
  await page.route((address) => address.pathname in old, (route) => {
    const { pathname } = new URL(route.request().url());
    const type = pathname.endsWith(".js") ? "text/javascript" : pathname.endsWith(".css") ? "text/css" : "text/html";
    return route.fulfill({ contentType: type, body: old[pathname] });
  });
  update();
  const newer = await profile.newPage();
  await newer.goto(url + path);
  await field(newer).waitFor();
  await page.waitForFunction(() => Number(sessionStorage.getItem("loads")) === 1);
  // The loaded page is outdated again, and stays.
  await page.waitForFunction(() => document.querySelector('[data-phase="ended"]') !== null);
  assert.equal(await loads(page), 1);
  await field(newer).fill("still there");
  await field(newer).press("Enter");
  await newer.locator(".line", { hasText: "still there" }).waitFor();
  assert.equal(await loads(page), 1);
});
