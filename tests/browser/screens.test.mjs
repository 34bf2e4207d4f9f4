// Every screen of the shell: no text that is not in the catalogue, no side scroll from 360 to 2560 px, a small first load,
// and a bundle that is that of its sources.
// ROOKERY and CHROMIUM are programs.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, gzipSync } from "node:zlib";
import { furnished, screens, show } from "./shell/screens.mjs";
import { enter, freshServer, launch, visit } from "./shell/visits.mjs";

let browser;

before(async () => {
  browser = await launch();
});

after(() => browser?.close());

/** The visible texts and names that did not come from the catalogue, without those that people wrote. */
function strays(page) {
  return page.evaluate(() => {
    const found = [];
    const own = (node) => !node.parentElement?.closest('[dir="auto"], script, style, noscript, option[lang]');
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
      const text = node.nodeValue.trim();
      // A sentence may be around a name that people wrote: the marks are at its ends.
      if (/\p{L}/u.test(text) && own(node) && !/^⟦.*⟧$|^⟦|⟧$/su.test(text)) found.push(text);
    }
    for (const name of ["aria-label", "title", "placeholder", "alt"]) {
      for (const element of document.querySelectorAll(`body [${name}]`)) {
        const text = element.getAttribute(name);
        if (/\p{L}/u.test(text) && !/^⟦.*⟧$/su.test(text)) found.push(`${name}=${text}`);
      }
    }
    return found;
  });
}

test("every_text_on_every_screen_comes_from_the_catalogue", async (context) => {
  const place = await furnished(context, browser);
  const { page: stranger } = await visit(place, "/?language=pseudo");
  await stranger.getByText("⟦").first().waitFor();
  assert.deepEqual(await strays(stranger), [], "first visit");
  // A negative control.
  await stranger.evaluate(() => document.querySelector("h1").append(" stray"));
  assert.deepEqual(await strays(stranger), ["stray"]);
  const { page } = await enter(place, place.ada);
  for (const [path, selector] of Object.entries(screens(place.roomId, place.bob))) {
    await show(page, place, path, "language=pseudo", selector);
    assert.deepEqual(await strays(page), [], path);
  }
});

/** What is drawn beyond the right edge of the window. */
function beyond(page) {
  return page.evaluate(() => {
    const found = [...document.querySelectorAll("body *")].filter((it) => {
      const { right, width } = it.getBoundingClientRect();
      return width > 0 && right > innerWidth + 1 && !it.closest(".unseen, .scrolls");
    });
    return found.map((it) => it.outerHTML.slice(0, 120));
  });
}

test("no_screen_scrolls_sideways_from_360_to_2560_px", async (context) => {
  const place = await furnished(context, browser);
  const { page } = await enter(place, place.ada);
  for (const [path, selector] of Object.entries(screens(place.roomId, place.bob))) {
    await page.setViewportSize({ width: 2560, height: 800 });
    await show(page, place, path, "language=de", selector);
    for (const width of [2560, 1040, 720, 360]) {
      await page.setViewportSize({ width, height: 800 });
      assert.deepEqual(await beyond(page), [], `${path} at ${width} px`);
    }
  }
  // A negative control.
  await page.evaluate(() => document.querySelector("h1").append("W".repeat(200)));
  assert.notDeepEqual(await beyond(page), []);
});

test("first_load_is_at_most_60_kib_compressed", async (context) => {
  const at = await freshServer(context);
  const { page, profile } = await visit({ browser, context, at }, "/favicon.svg");
  const session = await profile.newCDPSession(page);
  await session.send("Network.enable");
  let bytes = 0;
  const urls = new Map();
  session.on("Network.responseReceived", ({ requestId, response }) => urls.set(requestId, response.url));
  session.on("Network.loadingFinished", ({ requestId, encodedDataLength }) => {
    if (urls.has(requestId)) bytes += encodedDataLength;
  });
  await page.goto(at);
  await page.locator("form").waitFor();
  await page.waitForLoadState("networkidle");
  const names = [...urls.values()].map((url) => new URL(url).pathname);
  for (const name of [/^\/$/, /chat-boot-\w+\.js/, /chat-page-\w+\.js/, /chat-\w+\.css/]) assert.ok(names.some((it) => name.test(it)), `${names}`);
  assert.ok(bytes > 20_000 && bytes <= 60 * 1024, `${bytes} bytes: ${names}`);
});

test("first_load_is_at_most_60_kib_also_in_gzip_and_with_the_worker_of_the_home_in_brotli", async (context) => {
  const files = fileURLToPath(new URL("../../crates/web/files/", import.meta.url));
  const read = (name) => readFileSync(join(files, name));
  /** A script, and those that it imports before it runs. */
  const withImports = (name) => {
    const text = read(name).toString();
    return [name, ...Array.from(text.matchAll(/(?:from|import)"\.\/([\w.-]+)"/g), ([, other]) => withImports(other)).flat()];
  };
  const page = read("chat.html").toString();
  const named = Array.from(page.matchAll(/(?:src|href)="\/web\/([\w.-]+)"/g), ([, name]) => name);
  const form = new Set(["chat.html", ...named.flatMap(withImports)]);
  for (const name of [/^chat-boot/, /^chat-page/, /\.css$/]) assert.ok([...form].some((it) => name.test(it)), `${[...form]}`);
  const home = new Set([...form, ...withImports("chat.js")]);
  const sum = (names, size) => [...names].reduce((total, name) => total + size(read(name)), 0) / 1024;
  const gzip = (bytes) => gzipSync(bytes, { level: 9 }).length;
  const brotli = (bytes) => brotliCompressSync(bytes).length;
  for (const [name, names] of Object.entries({ form, home })) {
    context.diagnostic(`${name}: ${sum(names, gzip).toFixed(1)} KiB in gzip, ${sum(names, brotli).toFixed(1)} KiB in brotli`);
  }
  assert.ok(sum(form, gzip) <= 60 && sum(home, brotli) <= 60);
});

test("committed_bundle_is_that_of_its_sources", () => {
  const folder = fileURLToPath(new URL("../../crates/web/app/", import.meta.url));
  for (const script of [["generate.mjs"], ["build.mjs", "--check"]]) execFileSync("node", script, { cwd: folder, stdio: "pipe" });
});
