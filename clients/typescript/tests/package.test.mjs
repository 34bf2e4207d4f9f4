// The package that a registry would get.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { cpSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const folder = fileURLToPath(new URL("..", import.meta.url));

test("packing_builds_what_the_package_exports", (context) => {
  // As in a fresh clone without any build.
  const clone = mkdtempSync(join(tmpdir(), "rookery-client-"));
  context.after(() => rmSync(clone, { recursive: true }));
  for (const name of ["package.json", "tsconfig.json", "README.md", "LICENSE", "src", "tests"]) {
    cpSync(join(folder, name), join(clone, name), { recursive: true });
  }
  symlinkSync(join(folder, "node_modules"), join(clone, "node_modules"));
  const packed = execFileSync("npm", ["pack", "--dry-run", "--json"], { cwd: clone, encoding: "utf8" });
  const [{ files }] = JSON.parse(packed.slice(packed.indexOf("[\n")));
  const paths = files.map(({ path }) => path);
  for (const path of ["dist/index.js", "dist/index.d.ts", "README.md", "LICENSE"]) assert.ok(paths.includes(path), path);
  assert.deepEqual(paths.filter((path) => /^(src|tests|node_modules)/.test(path)), []);
});
