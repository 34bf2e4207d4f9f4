// Bundles GraphiQL 5 into single files, compressed, for ../vendor: the page needs no other host.
//
// `node build.mjs` writes them and prints their checksums for ../vendor/README.md.

import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";

const version = JSON.parse(readFileSync(new URL("node_modules/graphiql/package.json", import.meta.url), "utf8")).version;

const ENTRIES = {
  graphiql: "./graphiql.js",
  "editor-worker": "monaco-editor/esm/vs/editor/editor.worker.js",
  "graphql-worker": "monaco-graphql/esm/graphql.worker.js",
  "json-worker": "monaco-editor/esm/vs/language/json/json.worker.js",
};

const { outputFiles } = await build({
  absWorkingDir: fileURLToPath(new URL(".", import.meta.url)),
  entryPoints: ENTRIES,
  outdir: "out",
  bundle: true,
  minify: true,
  write: false,
  format: "iife",
  target: "es2022",
  define: { "process.env.NODE_ENV": '"production"' },
  loader: { ".ttf": "dataurl", ".woff2": "dataurl" },
  legalComments: "none",
  logLevel: "warning",
});
for (const { path, contents } of outputFiles) {
  const [, name, kind] = /([\w-]+)\.(js|css)$/.exec(path);
  const part = name === "graphiql" ? "" : `-${name}`;
  const file = `graphiql-${version}${part}.min.${kind}.gz`;
  writeFileSync(new URL(`../vendor/${file}`, import.meta.url), gzipSync(contents, { level: 9 }));
  console.log(createHash("sha256").update(contents).digest("hex"), file);
}
