// Clients for Python. `PYTHON_GQL` is the folder with gql 4.4, `PYTHON_CORE_3_2` that with an older gql and with ariadne-codegen.

import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { inProcess } from "./process.mjs";

const path = (relative) => fileURLToPath(new URL(relative, import.meta.url));

/** The adapter for a program beside this file, which finds its packages in `folders`. */
const program = (name, ...folders) =>
  inProcess(({ url }) => ({ file: "python3", args: ["-B", path(name), url], env: { PYTHONPATH: folders.join(":"), PYTHONWARNINGS: "ignore" } }));

/** Generates the package `rookery` from the documents of the conversation; returns the folder that contains it. */
function generated() {
  const folder = mkdtempSync(join(tmpdir(), "rookery-ariadne-"));
  process.on("exit", () => rmSync(folder, { recursive: true }));
  const settings = {
    schema_path: path("../../../schema.graphql"),
    queries_path: path("../operations.graphql"),
    target_package_name: "rookery",
    target_package_path: folder,
  };
  const lines = Object.entries(settings).map(([key, value]) => `${key} = ${JSON.stringify(value)}\n`);
  writeFileSync(join(folder, "settings.toml"), `[tool.ariadne-codegen]\n${lines.join("")}`);
  const env = { ...process.env, PYTHONPATH: process.env.PYTHON_CORE_3_2 };
  const args = ["-m", "ariadne_codegen", "--config", join(folder, "settings.toml"), "client"];
  execFileSync("python3", args, { env, stdio: ["ignore", "ignore", "inherit"] });
  return folder;
}

export const pythonGql = program("python_gql.py", process.env.PYTHON_GQL);
export const pythonGqlOlder = program("python_gql.py", process.env.PYTHON_CORE_3_2);
export const ariadneCodegen = program("python_ariadne.py", process.env.PYTHON_CORE_3_2, generated());
