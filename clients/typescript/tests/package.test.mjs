// The package that a registry would get.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const folder = fileURLToPath(new URL("..", import.meta.url));
const modules = join(folder, "node_modules");

test("the_package_is_built_installed_in_an_empty_project_and_type_checked", (context) => {
  const place = mkdtempSync(join(tmpdir(), "rookery-client-"));
  context.after(() => rmSync(place, { recursive: true }));
  // As in a fresh clone without any build.
  const clone = join(place, "clients/typescript");
  cpSync(join(folder, "../../schema.graphql"), join(place, "schema.graphql"));
  const sources = (path) => !path.endsWith("generated.ts");
  for (const name of ["package.json", "tsconfig.json", "generate.mjs", "README.md", "LICENSE", "src", "tests"]) {
    cpSync(join(folder, name), join(clone, name), { recursive: true, filter: sources });
  }
  symlinkSync(modules, join(clone, "node_modules"));
  const packed = execFileSync("npm", ["pack", "--json"], { cwd: clone, encoding: "utf8" });
  const [{ files, filename }] = JSON.parse(packed.slice(packed.indexOf("[\n")));
  const paths = files.map(({ path }) => path);
  assert.deepEqual(paths.filter((path) => /^(tests|node_modules)/.test(path)), []);

  // An empty project: its other packages are those of the lock file, so that no registry is asked.
  const project = join(place, "project");
  mkdirSync(project);
  const others = ["@graphql-typed-document-node/core", "graphql", "graphql-ws"];
  const dependencies = Object.fromEntries(others.map((name) => [name, `file:${join(modules, name)}`]));
  dependencies["rookery-client"] = `file:${join(clone, filename)}`;
  writeFileSync(join(project, "package.json"), JSON.stringify({ private: true, type: "module", dependencies }));
  const install = ["install", "--offline", "--install-links", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"];
  execFileSync("npm", install, { cwd: project, stdio: "inherit" });
  cpSync(join(folder, "tests/usage.ts"), join(project, "usage.ts"));
  const flags = ["--noEmit", "--strict", "--exactOptionalPropertyTypes", "--target", "ES2022", "--module", "NodeNext", "--lib", "ES2023,DOM"];
  execFileSync(join(modules, ".bin/tsc"), [...flags, "--types", "", "usage.ts"], { cwd: project, stdio: "inherit" });

  // Editors and debuggers find the sources through the maps.
  const installed = join(project, "node_modules/rookery-client");
  const maps = paths.filter((path) => path.endsWith(".map"));
  for (const kind of ["dist/index.js.map", "dist/index.d.ts.map", "dist/generated.d.ts.map", "dist/store/index.d.ts.map"]) assert.ok(maps.includes(kind), kind);
  for (const map of maps) {
    const { sources } = JSON.parse(readFileSync(join(installed, map), "utf8"));
    for (const source of sources) assert.ok(existsSync(join(installed, dirname(map), source)), `${map}: ${source}`);
  }
});
