// Bundles the chat into ../files: the page, its scripts, a style sheet, and the texts of each language but English.
//
//   node build.mjs             writes the files
//   node build.mjs --check     compares them with those that are there, byte by byte
//
// Each file is there compressed too: brotli of the highest quality takes long, so the server does not do it.
//
// Invariant: the same sources give the same text on every machine.
// Invariant: the name of a file changes with its content, so browsers keep it for ever. The page, the worker and the texts
// keep theirs.

import { readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
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

/** The scripts by the first part of their names. `chat` is that of the worker. */
const SCRIPTS = { chat: "worker.ts", "chat-page": "main.ts", "chat-more": "screens/more.ts" };

/** The script of the worker: its address is the same in all releases. */
const WORKER = "chat.js";

/** What all bundles share. Names of packages lead to their sources. */
const COMMON = {
  absWorkingDir: here,
  bundle: true,
  write: false,
  metafile: true,
  outdir: "out",
  target: "es2023",
  charset: "utf8",
  legalComments: "none",
  logLevel: "warning",
  alias: {
    "rookery-client": join(client, "src/index.ts"),
    "rookery-client/store": join(client, "src/store/index.ts"),
    "rookery-client/store/page": join(client, "src/store/page.ts"),
    "rookery-client/store/worker": join(client, "src/store/worker.ts"),
    graphql: join(here, "state/no-graphql.ts"),
    // Without its server.
    "graphql-ws": join(client, "node_modules/graphql-ws/dist/client.js"),
  },
};

/** Returns the content of each file by its name. */
export async function bundle({ minify = true } = {}) {
  const [entryNames, chunkNames] = ["[name]-[hash]", "chat-[name]-[hash]"];
  const built = await Promise.all([
    build({ ...COMMON, minify, entryPoints: SCRIPTS, format: "esm", splitting: true, entryNames, chunkNames }),
    build({ ...COMMON, minify, entryPoints: { "chat-boot": "boot.ts" }, format: "iife", entryNames }),
    build({ ...COMMON, minify, entryPoints: { chat: "styles/index.css", "chat-more": "styles/later.css" }, entryNames }),
  ]);
  const outputs = Object.entries(Object.assign({}, ...built.map(({ metafile }) => metafile.outputs)));
  const outputOf = (entry) => outputs.find(([, { entryPoint }]) => entryPoint === entry)[0];
  const files = new Map(built.flatMap(({ outputFiles }) => outputFiles.map(({ path, text }) => [basename(path), text])));
  const worker = basename(outputOf(SCRIPTS.chat));
  files.set(WORKER, files.get(worker));
  files.delete(worker);
  for (const language of LANGUAGES) files.set(`texts-${language}.json`, await texts(language));
  const page = outputOf(SCRIPTS["chat-page"]);
  const needed = withImports(built[0].metafile.outputs, page);
  checkTexts(needed.flatMap((name) => Object.keys(built[0].metafile.outputs[name].inputs)));
  files.set("bundle.rs", listed([...files.keys()]));
  const places = { boot: outputOf("boot.ts"), styles: outputOf("styles/index.css"), later: outputOf("styles/later.css"), page };
  files.set("chat.html", html(places, needed.filter((path) => path !== page)));
  return files;
}

/** A script, and those that it imports before it runs. */
function withImports(outputs, name, seen = new Set()) {
  if (seen.has(name)) return [];
  seen.add(name);
  const imported = outputs[name].imports.filter(({ kind }) => kind === "import-statement");
  return [name, ...imported.flatMap(({ path }) => withImports(outputs, path, seen))];
}

/** Fails if a file of the first script uses a text that comes with the second one. */
function checkTexts(inputs) {
  const names = (folder, file) => readFileSync(join(here, folder, file), "utf8");
  const later = new Set(["calls", "chat", "operator", "room", "settings"].flatMap((file) => {
    return Array.from(names("texts/en", `${file}.ts`).matchAll(/^\s*"([\w.]+)":/gm), ([, name]) => name);
  }));
  for (const input of inputs.filter((it) => it.endsWith(".ts") && !it.startsWith("texts/") && !it.startsWith(".."))) {
    for (const [, name] of names(".", input).matchAll(/"(\w+\.\w+)"/g)) {
      if (later.has(name)) throw new Error(`${input} is in the first script, and its text "${name}" in the second: move the text to texts/en/home.ts`);
    }
  }
}

/** The page. Its scripts begin to load before the first of them runs. */
function html(paths, imported) {
  const names = Object.entries(paths).map(([place, path]) => [place, basename(path)]);
  const preloads = imported.map((path) => `<link rel="modulepreload" href="/web/${basename(path)}">`).join("\n");
  const places = { ...Object.fromEntries(names), preloads };
  return readFileSync(join(here, "chat.html"), "utf8").replaceAll(/\{(\w+)\}/g, (_, place) => places[place]);
}

/** The files, for the server. */
function listed(names) {
  const kinds = { js: "SCRIPT", css: "CSS", json: "JSON" };
  const lines = names.toSorted().map((name) => {
    const isVersioned = name !== WORKER && !name.startsWith("texts-");
    return `    bundled!("${name}", ${kinds[name.split(".").at(-1)]}, ${isVersioned}),\n`;
  });
  return `// Generated by \`npm run build\` in crates/web/app: do not edit.\n[\n${lines.join("")}]\n`;
}

/** The texts of a language as JSON. */
async function texts(language) {
  const built = await build({ ...COMMON, entryPoints: [`texts/${language}/index.ts`], format: "esm", minify: true });
  const source = Buffer.from(built.outputFiles[0].contents).toString("base64");
  const { default: all } = await import(`data:text/javascript;base64,${source}`);
  return `${JSON.stringify(all)}\n`;
}

const quality = { [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY };

/** Whether the server sends a file compressed. */
const isCompressed = (name) => name !== "bundle.rs" && name !== "chat.html";

/** Whether a file and its compressed form have this text. The bytes of the latter depend on the release of Node.js. */
function isAs(name, text) {
  try {
    if (readFileSync(new URL(name, FOLDER), "utf8") !== text) return false;
    return !isCompressed(name) || brotliDecompressSync(readFileSync(new URL(`${name}.br`, FOLDER))).toString() === text;
  } catch {
    return false;
  }
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const isCheck = process.argv.includes("--check");
  const files = await bundle();
  const differing = [];
  for (const [name, text] of files) {
    if (isAs(name, text)) continue;
    differing.push(name);
    if (isCheck) continue;
    writeFileSync(new URL(name, FOLDER), text);
    if (isCompressed(name)) writeFileSync(new URL(`${name}.br`, FOLDER), brotliCompressSync(text, { params: quality }));
  }
  for (const name of readdirSync(FOLDER)) {
    if (name.startsWith("LICENSE") || files.has(name.replace(/\.br$/, ""))) continue;
    differing.push(name);
    if (!isCheck) rmSync(new URL(name, FOLDER));
  }
  if (isCheck && differing.length > 0) {
    console.error(`not as their sources: ${differing.join(", ")}; run \`npm run build\` in crates/web/app`);
    process.exitCode = 1;
  }
}
