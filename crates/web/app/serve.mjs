// Serves the chat from its sources while you work on it, and passes /graphql on to a running Rookery.
//
//   node serve.mjs [http://127.0.0.1:8008] [PORT]
//
// A reload of the page bundles again. The headers are those of the product, so a violation of the policy shows here.

import { readFileSync } from "node:fs";
import { createServer, request } from "node:http";
import { connect } from "node:net";
import { bundle } from "./build.mjs";

const rookery = new URL(process.argv[2] ?? "http://127.0.0.1:8008");
const port = Number(process.argv[3] ?? 8009);

const read = (path) => readFileSync(new URL(path, import.meta.url));
/** The policy of the chat, from the one place that has it. */
const policy = /CHAT_POLICY: &str = "([^"]+)"/.exec(read("../src/chat.rs").toString())[1].replaceAll(/\\\n\s*/g, "");
const TYPES = { html: "text/html", css: "text/css", js: "text/javascript", json: "application/json", svg: "image/svg+xml" };

/** The file of a path of the chat. */
async function content(path) {
  if (path === "/favicon.svg") return ["svg", read("../pages/favicon.svg")];
  const built = /^\/web\/((?:chat|texts)[\w-]*\.(\w+))$/.exec(path);
  if (!built) return ["html", read("../files/chat.html")];
  const text = (await bundle({ minify: false })).get(built[1]);
  return [built[2], text ?? "", text === undefined ? 404 : 200];
}

/** The request as if it came from a page of the server itself. */
const own = (headers) => ({ ...headers, host: rookery.host, ...(headers.origin && { origin: rookery.origin }) });

const isPassedOn = (url) => /^\/(graphql|graphiql|about|health|examples\/)/.test(url) || /^\/web\/(?!chat|texts)/.test(url);

const server = createServer(async (incoming, answer) => {
  if (isPassedOn(incoming.url)) {
    const { method, url: path, headers } = incoming;
    const passed = request({ ...address(), method, path, headers: own(headers) }, (response) => {
      answer.writeHead(response.statusCode, response.headers);
      response.pipe(answer);
    });
    passed.on("error", () => answer.writeHead(502).end("Rookery does not answer\n"));
    incoming.pipe(passed);
    return;
  }
  try {
    const [kind, bytes, status = 200] = await content(new URL(incoming.url, rookery).pathname);
    answer.writeHead(status, {
      "Content-Type": `${TYPES[kind]}; charset=utf-8`,
      "Content-Security-Policy": policy,
      "Cache-Control": "no-cache",
      "X-Content-Type-Options": "nosniff",
      "Referrer-Policy": "no-referrer",
      "Cross-Origin-Opener-Policy": "same-origin",
      "Cross-Origin-Resource-Policy": "same-origin",
    });
    answer.end(bytes);
  } catch (error) {
    answer.writeHead(500).end(String(error));
  }
});

const address = () => ({ host: rookery.hostname, port: rookery.port || 80 });

server.on("upgrade", (incoming, socket, head) => {
  const passed = connect(address(), () => {
    const lines = Object.entries(own(incoming.headers)).map(([name, value]) => `${name}: ${value}`);
    passed.write(`GET ${incoming.url} HTTP/1.1\r\n${lines.join("\r\n")}\r\n\r\n`);
    passed.write(head);
    passed.pipe(socket).pipe(passed);
  });
  for (const end of [passed, socket]) end.on("error", () => [passed, socket].forEach((it) => it.destroy()));
});

server.listen(port, "127.0.0.1", () => console.log(`http://127.0.0.1:${server.address().port}/ with ${rookery.origin}`));
