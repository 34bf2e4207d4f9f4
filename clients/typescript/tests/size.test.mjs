// The size of the store, as a page loads it, and what it does when it is loaded: nothing.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";

const folder = fileURLToPath(new URL("..", import.meta.url));
/** The compressed size in KiB of a script without graphql-ws. */
async function size(contents, options = {}) {
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: folder },
    bundle: true,
    minify: true,
    write: false,
    format: "esm",
    target: "es2023",
    external: ["graphql-ws", "react"],
    logLevel: "silent",
    ...options,
  });
  return gzipSync(outputFiles[0].contents, { level: 9 }).length / 1024;
}

const SIZES = [
  ["the_part_of_a_page_without_an_engine", 7, 'export * from "./dist/store/page.js";'],
  ["the_part_of_a_worker", 28, 'export * from "./dist/store/worker.js";'],
  ["the_whole_store", 30, 'export * from "./dist/store/index.js";'],
  ["the_hooks_for_react", 1, 'export * from "./dist/react/index.js";'],
];

for (const [name, kibibytes, script] of SIZES) {
  test(`${name}_has_at_most_${kibibytes}_KiB`, async (context) => {
    const found = await size(script);
    context.diagnostic(`${found.toFixed(2)} KiB`);
    assert.ok(found <= kibibytes, `${found.toFixed(2)} KiB`);
  });
}

test("the_core_has_at_most_12_KiB_of_the_engine_that_a_worker_loads", async (context) => {
  const engine = 'export { startEngine } from "./dist/store/worker.js";';
  const left = { name: "without the core", setup: ({ onResolve }) => onResolve({ filter: /\/core\/[\w-]+\.js$/ }, ({ path }) => ({ path, external: true })) };
  const [whole, rest] = [await size(engine), await size(engine, { plugins: [left] })];
  context.diagnostic(`${(whole - rest).toFixed(2)} KiB of ${whole.toFixed(2)} KiB`);
  assert.ok(rest < whole - 6 && whole - rest <= 12, `${(whole - rest).toFixed(2)} KiB`);
});

test("a_bundle_without_any_use_of_the_store_has_nothing_of_it", async () => {
  const found = await size('import * as store from "./dist/store/index.js"; import * as react from "./dist/react/index.js";');
  assert.ok(found < 0.1, `${found} KiB`);
  assert.equal(JSON.parse(readFileSync(`${folder}/package.json`)).sideEffects, false);
});

test("loading_the_store_and_the_hooks_touches_nothing_outside", () => {
  const script = `
    const touched = [];
    const names = ["fetch", "setTimeout", "setInterval", "BroadcastChannel", "MessageChannel", "WebSocket", "addEventListener", "indexedDB", "localStorage", "navigator"];
    for (const name of names) Object.defineProperty(globalThis, name, { configurable: true, get: () => void touched.push(name) });
    const before = Reflect.ownKeys(globalThis).length;
    for (const entry of ["store/index", "store/page", "store/worker", "react/index"]) await import("./dist/" + entry + ".js");
    if (Reflect.ownKeys(globalThis).length !== before) touched.push("a name of its own");
    console.log(JSON.stringify(touched));`;
  const touched = execFileSync("node", ["--input-type=module", "--eval", script], { cwd: folder, encoding: "utf8" });
  assert.deepEqual(JSON.parse(touched), []);
});
