// Bundles the chat into ../files: one script for the first screen, which is that of the worker too, one for the other
// screens, one style sheet, and the texts of each language but English.
//
//   node build.mjs             writes the files
//   node build.mjs --check     compares them with those that are there, byte by byte
//
// Each file is there compressed too: brotli of the highest quality takes long, so the server does not do it.
//
// Invariant: the same sources give the same text on every machine.

import { readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { brotliCompressSync, brotliDecompressSync, constants } from "node:zlib";
import { build } from "esbuild";

const here = fileURLToPath(new URL(".", import.meta.url));
const client = join(here, "../../../clients/typescript");

/** Where the files go. */
const FOLDER = new URL("../files/", import.meta.url);

/** The languages whose texts are in files of their own. */
const LANGUAGES = ["de", "ar"];

/** What both bundles share. Names of packages lead to their sources. */
const COMMON = {
  absWorkingDir: here,
  bundle: true,
  write: false,
  target: "es2023",
  charset: "utf8",
  legalComments: "none",
  logLevel: "warning",
  alias: {
    "rookery-client": join(client, "src/index.ts"),
    "rookery-client/store": join(client, "src/store/index.ts"),
    graphql: join(here, "state/no-graphql.ts"),
    // Without its server.
    "graphql-ws": join(client, "node_modules/graphql-ws/dist/client.js"),
  },
};

/** Returns the content of each file by its name. */
export async function bundle({ minify = true } = {}) {
  const scripts = build({
    ...COMMON,
    entryPoints: { chat: "main.ts", "chat-more": "screens/more.ts" },
    outdir: "out",
    format: "esm",
    splitting: true,
    // There is one chunk: what both scripts need.
    chunkNames: "chat-shared",
    minify,
  });
  const styles = build({ ...COMMON, entryPoints: { chat: "styles/index.css" }, outdir: "out", minify });
  const files = new Map();
  for (const { outputFiles } of await Promise.all([scripts, styles])) {
    for (const { path, text } of outputFiles) files.set(basename(path), text);
  }
  for (const language of LANGUAGES) files.set(`texts-${language}.json`, await texts(language));
  return files;
}

/** The texts of a language as JSON. */
async function texts(language) {
  const built = await build({ ...COMMON, entryPoints: [`texts/${language}/index.ts`], format: "esm", minify: true });
  const source = Buffer.from(built.outputFiles[0].contents).toString("base64");
  const { default: all } = await import(`data:text/javascript;base64,${source}`);
  return `${JSON.stringify(all)}\n`;
}

const quality = { [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY };

/** Whether a file and its compressed form have this text. The bytes of the latter depend on the release of Node.js. */
function isAs(name, text) {
  try {
    const compressed = readFileSync(new URL(`${name}.br`, FOLDER));
    return readFileSync(new URL(name, FOLDER), "utf8") === text && brotliDecompressSync(compressed).toString() === text;
  } catch {
    return false;
  }
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const differing = [];
  for (const [name, text] of await bundle()) {
    if (isAs(name, text)) continue;
    differing.push(name);
    if (process.argv.includes("--check")) continue;
    writeFileSync(new URL(name, FOLDER), text);
    writeFileSync(new URL(`${name}.br`, FOLDER), brotliCompressSync(text, { params: quality }));
  }
  if (process.argv.includes("--check") && differing.length > 0) {
    console.error(`not as their sources: ${differing.join(", ")}; run \`npm run build\` in crates/web/app`);
    process.exitCode = 1;
  }
}
