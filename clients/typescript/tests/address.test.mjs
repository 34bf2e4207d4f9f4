// URLs that reach the server, and the errors of those that do not: with the server at ROOKERY_URL, and with fake servers.

import assert from "node:assert/strict";
import { createServer } from "node:http";
import { test } from "node:test";
import WebSocket from "ws";
import { connect, Disconnected, logIn, RequestFailed, UnexpectedAnswer, UpgradeRefused } from "../dist/index.js";
import { graphqlUrl, socketUrl } from "../dist/url.js";
import { LOG_OUT } from "../../../tests/clients/operations.mjs";
import { act, PASSWORD, register } from "../../../tests/clients/person.mjs";

const server = process.env.ROOKERY_URL;

/** A server that answers everything with `answer`, and counts the requests. */
async function imposter(context, answer) {
  const imposter = { requests: 0 };
  const http = createServer((request, response) => {
    imposter.requests++;
    answer(response);
  });
  await new Promise((resolve) => http.listen(0, "127.0.0.1", resolve));
  context.after(() => http.close());
  imposter.url = `http://127.0.0.1:${http.address().port}`;
  return imposter;
}

test("the_address_of_a_server_is_the_same_with_and_without_graphql_and_slashes", () => {
  const same = { "https://a.example/graphql": ["", "/", "/graphql", "/graphql/", "//", "/graphql?x#y"].map((end) => `https://a.example${end}`) };
  same["http://a.example:8008/chat/graphql"] = ["", "/", "/graphql", "/graphql/"].map((end) => `http://a.example:8008/chat${end}`);
  same["https://b.example/graphql"] = ["wss://b.example/graphql", "HTTPS://B.example"];
  for (const [address, urls] of Object.entries(same)) {
    for (const url of urls) {
      assert.equal(graphqlUrl(url), address, url);
      assert.equal(socketUrl(url), address.replace("http", "ws"), url);
    }
  }
  for (const none of ["", "chat.example.org", "/graphql", "ftp://a.example", "localhost:8008"]) {
    assert.throws(() => graphqlUrl(none), TypeError, none);
  }
});

test("a_client_works_with_each_form_of_the_address", async (context) => {
  const { token } = await register("address");
  for (const end of ["", "/", "/graphql", "/graphql/"]) {
    const url = `${server}${end}`;
    await logIn({ url }, { username: "address", password: PASSWORD });
    const client = await connect({ url, token, webSocket: WebSocket });
    context.after(() => client.close());
    // The first chunk has a position and nothing else.
    for await (const chunk of client.follow()) {
      assert.deepEqual([chunk.events, typeof chunk.position], [[], "string"]);
      break;
    }
  }
});

test("a_wrong_url_is_an_error_after_one_request", async (context) => {
  const page = (status, type) => (response) => response.writeHead(status, { "content-type": type }).end("<p>nothing here</p>");
  for (const answer of [page(404, "text/html"), page(200, "text/html"), page(403, "text/plain"), (response) => response.end("[]")]) {
    const other = await imposter(context, answer);
    await assert.rejects(connect({ url: other.url, token: "x" }), UnexpectedAnswer);
    await assert.rejects(logIn({ url: other.url }, { username: "a", password: "b" }), UnexpectedAnswer);
    assert.equal(other.requests, 2);
  }
  await assert.rejects(connect({ url: `${server}/nothing/here`, token: "x" }), UnexpectedAnswer);
  await assert.rejects(connect({ url: "nonsense", token: "x" }), TypeError);
});

test("a_server_that_nothing_answers_for_is_given_up_and_one_that_comes_back_is_waited_for", async (context) => {
  const nobody = connect({ url: "http://127.0.0.1:1", token: "x", connectWait: 1_500 });
  await assert.rejects(nobody, Disconnected);
  let isUp = false;
  const answer = JSON.stringify({ data: { viewer: { device: { lastActionId: 0 } } } });
  const proxy = await imposter(context, (response) => {
    if (isUp) return response.end(answer);
    isUp = true;
    response.writeHead(502, { "content-type": "text/html" }).end("bad gateway");
  });
  const client = await connect({ url: proxy.url, token: "x" });
  client.close();
  assert.equal(proxy.requests, 2);
});

/** A proxy that passes requests on, and answers each upgrade with a page. */
async function withoutSockets(context) {
  const proxy = { upgrades: 0 };
  const http = createServer(async (request, response) => {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const { "content-type": type, accept, authorization } = request.headers;
    const headers = { "content-type": type, accept, ...(authorization && { authorization }) };
    const answer = await fetch(`${server}${request.url}`, { method: request.method, headers, body: Buffer.concat(chunks) });
    response.writeHead(answer.status, { "content-type": answer.headers.get("content-type") }).end(await answer.text());
  });
  http.on("upgrade", (_, socket) => {
    proxy.upgrades++;
    socket.end("HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
  });
  await new Promise((resolve) => http.listen(0, "127.0.0.1", resolve));
  context.after(() => http.close());
  proxy.url = `http://127.0.0.1:${http.address().port}`;
  return proxy;
}

test("a_proxy_that_refuses_web_sockets_is_named_after_some_tries", async (context) => {
  const { token } = await register("upgrade");
  const proxy = await withoutSockets(context);
  const client = await connect({ url: proxy.url, token, webSocket: WebSocket, wait: async () => {} });
  context.after(() => client.close());
  await assert.rejects(client.follow().next(), (error) => {
    assert.ok(error instanceof UpgradeRefused);
    assert.match(error.message, /Upgrade/);
    return true;
  });
  assert.equal(proxy.upgrades, 5);
});

test("a_token_that_is_not_valid_is_named_where_no_web_socket_opens", async (context) => {
  const { token } = await register("upgrade2");
  const proxy = await withoutSockets(context);
  const client = await connect({ url: proxy.url, token, webSocket: WebSocket, wait: async () => {} });
  context.after(() => client.close());
  await act(token, LOG_OUT, {});
  await assert.rejects(client.follow().next(), RequestFailed);
});
