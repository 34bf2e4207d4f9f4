// Typed documents: what graphql-code-generator and gql.tada generate type-checks, and so does code that uses it.

import { execFile } from "node:child_process";
import { mkdir, rm } from "node:fs/promises";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const run = promisify(execFile);
const cwd = fileURLToPath(new URL("..", import.meta.url));
const compiler = fileURLToPath(new URL("../../clients/typescript/node_modules/.bin/tsc", import.meta.url));

test("generated_code_and_what_uses_it_type_check", async () => {
  await rm(new URL("codegen/generated", import.meta.url), { recursive: true, force: true });
  await run("node_modules/.bin/graphql-codegen", ["--config", "clients/codegen/codegen.mjs"], { cwd });
  await run(compiler, ["--project", "clients/codegen"], { cwd });
});

test("documents_type_check_with_gql_tada", async () => {
  await mkdir(new URL("tada/generated", import.meta.url), { recursive: true });
  await run("node_modules/.bin/gql-tada", ["generate-output", "--tsconfig", "clients/tada/tsconfig.json"], { cwd });
  await run(compiler, ["--project", "clients/tada"], { cwd });
});
