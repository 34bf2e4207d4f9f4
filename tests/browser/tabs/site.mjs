// One origin for the pages of a test and the server: serves a bundle, and passes /graphql on.

import { once } from "node:events";
import { createServer, request } from "node:http";
import { connect } from "node:net";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const client = fileURLToPath(new URL("../../../clients/typescript", import.meta.url));

/** Bundles a script as the pages of the product are bundled. */
export async function bundle(entry, options = {}) {
  const { outputFiles } = await build({
    entryPoints: [entry],
    bundle: true,
    write: false,
    format: "iife",
    target: "es2022",
    logLevel: "warning",
    nodePaths: [`${client}/node_modules`],
    alias: {
      "rookery-client/store": `${client}/dist/store/index.js`,
      "rookery-client/react": `${client}/dist/react/index.js`,
      "rookery-client": `${client}/dist/index.js`,
    },
    ...options,
  });
  return outputFiles[0].text;
}

const HTML = `<!doctype html><html lang="en"><meta charset="utf-8"><title>Test</title><link rel="icon" href="data:,">
<body><div id="root"></div><script src="/page.js"></script></body></html>`;

/** Serves `files`, by path, and the server at `server`. A script ends in `.js`, a style sheet in `.css`. `sockets()` is the number of open WebSockets. */
export async function site(context, server, files) {
  const { hostname, port } = new URL(server);
  const sockets = new Set();
  const listener = createServer((incoming, outgoing) => {
    const path = new URL(incoming.url, "http://site").pathname;
    const type = path.endsWith(".js") ? "javascript" : path.endsWith(".css") ? "css" : "html";
    if (path !== "/graphql") {
      const file = files[path] ?? (type === "html" ? HTML : undefined);
      return outgoing.writeHead(file ? 200 : 502, { "content-type": `text/${type}` }).end(file);
    }
    const { method, headers, url } = incoming;
    const passed = request({ hostname, port, method, path: url, headers: { ...headers, host: `${hostname}:${port}` } }, (answer) => {
      outgoing.writeHead(answer.statusCode, answer.headers);
      answer.pipe(outgoing);
    });
    passed.on("error", () => outgoing.destroy());
    outgoing.on("close", () => passed.destroy());
    incoming.pipe(passed);
  });
  listener.on("upgrade", (incoming, near, head) => {
    const far = connect(Number(port), hostname, () => {
      const { host: _, origin: __, ...headers } = incoming.headers;
      const lines = Object.entries({ ...headers, host: `${hostname}:${port}` }).map(([name, value]) => `${name}: ${value}`);
      far.write(`GET ${incoming.url} HTTP/1.1\r\n${lines.join("\r\n")}\r\n\r\n`);
      far.write(head);
      far.pipe(near).pipe(far);
    });
    sockets.add(near);
    for (const socket of [near, far]) {
      socket.on("error", () => {});
      socket.on("close", () => (sockets.delete(near), near.destroy(), far.destroy()));
    }
  });
  listener.listen(0, "127.0.0.1");
  await once(listener, "listening");
  context.after(() => {
    listener.closeAllConnections();
    for (const socket of sockets) socket.destroy();
    listener.close();
  });
  return { url: `http://localhost:${listener.address().port}`, sockets: () => sockets.size };
}
