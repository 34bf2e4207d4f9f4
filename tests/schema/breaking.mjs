// Compares schema.graphql with the last released schema: a change that would break a client fails, unless it is accepted.

import { readFileSync } from "node:fs";
import { CriticalityLevel, diff } from "@graphql-inspector/core";
import { buildSchema } from "graphql";

const read = (path) => readFileSync(new URL(`../../${path}`, import.meta.url), "utf8");
const released = buildSchema(read("docs/schema/released.graphql"));
const today = buildSchema(process.argv[2] ? readFileSync(process.argv[2], "utf8") : read("schema.graphql"));

const lines = read("docs/schema/accepted.txt").split("\n").filter((line) => line.trim() && !line.startsWith("#"));
const accepted = new Map(lines.map((line) => /^(\S+)\s+(\S.*)$/.exec(line) ?? []).map(([, path, reason]) => [path, reason]));
if (accepted.has(undefined)) throw new Error("each line of docs/schema/accepted.txt has a path and a reason");

const changes = await diff(released, today);
const breaking = changes.filter(({ criticality }) => criticality.level === CriticalityLevel.Breaking);
const open = breaking.filter(({ path }) => !accepted.has(path));
const stale = [...accepted.keys()].filter((path) => !breaking.some((change) => change.path === path));
for (const { path, message } of open) console.error(`${path}: ${message}: breaks clients of the released schema`);
for (const path of stale) console.error(`docs/schema/accepted.txt: ${path} breaks nothing: remove the line`);
if (open.length + stale.length > 0) {
  console.error("keep what is there and deprecate it, or accept the change in docs/schema/accepted.txt with its reason");
  process.exit(1);
}
console.log(`${changes.length} changes since the release, ${breaking.length} of them breaking and accepted`);
