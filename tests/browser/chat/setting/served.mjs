// Serves a page of a test bundled with the sources of the chat, under the policy of the product.

import { createServer } from "node:http";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";

const app = new URL("../../../../crates/web/app/", import.meta.url);
const { build } = createRequire(new URL("package.json", app))("esbuild");
const client = fileURLToPath(new URL("../../../../clients/typescript/src/", import.meta.url));

const policy =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; connect-src 'self'; img-src 'self' blob:; " +
  "require-trusted-types-for 'script'; trusted-types 'none'";

const page = `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Timeline</title><link rel="stylesheet" href="/chat.css"></head><body><div id="app"></div><script src="/chat.js"></script></body></html>`;

const options = {
  absWorkingDir: fileURLToPath(app),
  bundle: true,
  write: false,
  outdir: "out",
  target: "es2023",
  nodePaths: [fileURLToPath(new URL("node_modules", app))],
  alias: {
    "rookery-client": `${client}index.ts`,
    "rookery-client/store": `${client}store/index.ts`,
    "rookery-client/store/page": `${client}store/page.ts`,
    "rookery-client/store/worker": `${client}store/worker.ts`,
  },
  logLevel: "warning",
};

/** Loads a module of the chat that needs no page. */
export async function load(path) {
  const { outputFiles } = await build({ ...options, entryPoints: [path], format: "esm" });
  return import(`data:text/javascript;base64,${Buffer.from(outputFiles[0].contents).toString("base64")}`);
}

/** Returns the address of the page, until the test `context` ends. */
export async function serve(context, entry, { minify = true } = {}) {
  const style = (name) => fileURLToPath(new URL(`styles/${name}.css`, app));
  const entryPoints = { chat: fileURLToPath(new URL(entry, import.meta.url)), index: style("index"), later: style("later") };
  const { outputFiles } = await build({ ...options, entryPoints, minify });
  const content = (end) => outputFiles.find(({ path }) => path.endsWith(end)).text;
  const files = { "/chat.js": ["text/javascript", content("chat.js")], "/chat.css": ["text/css", content("index.css") + content("later.css")] };
  const server = createServer((request, answer) => {
    const [type, text] = files[request.url] ?? ["text/html", page];
    answer.writeHead(200, { "Content-Type": `${type}; charset=utf-8`, "Content-Security-Policy": policy });
    answer.end(text);
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  context.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${server.address().port}/`;
}

