// A conversation with graphql-ws: register, create a room, subscribe, send, receive.
// ROOKERY_URL is the server's address; `cargo xtask test clients` sets it.

import assert from "node:assert/strict";
import { test } from "node:test";
import { createClient } from "graphql-ws";
import WebSocket from "ws";
import { CREATE_ROOM, REGISTER, SEND, STREAM } from "./operations.mjs";

const server = process.env.ROOKERY_URL;

/** Runs one mutation over HTTP and answers its payload; fails on errors and on refusals. */
async function mutate(token, query, input) {
  const headers = { "content-type": "application/json", accept: "application/graphql-response+json" };
  if (token) headers.authorization = `Bearer ${token}`;
  const body = JSON.stringify({ query, variables: { input } });
  const response = await fetch(`${server}/graphql`, { method: "POST", headers, body });
  const { data, errors } = await response.json();
  assert.equal(errors, undefined, JSON.stringify(errors));
  const [payload] = Object.values(data);
  assert.equal(payload.error ?? null, null, JSON.stringify(payload.error));
  return payload;
}

/** A client of graphql-ws that never retries: a lost connection fails the test. */
function connect(context, token) {
  const client = createClient({
    url: `${server.replace("http", "ws")}/graphql`,
    webSocketImpl: WebSocket,
    connectionParams: { authorization: `Bearer ${token}` },
    lazy: false,
    retryAttempts: 0,
    onNonLazyError: () => {},
  });
  context.after(() => client.dispose());
  return client;
}

test("message_sent_over_http_arrives_on_the_stream_once", async (context) => {
  const { accessToken } = await mutate(null, REGISTER, { localpart: "alice", password: "correct horse battery" });
  const { room, position } = await mutate(accessToken, CREATE_ROOM, { name: "Rooks" });

  const stream = connect(context, accessToken).iterate({ query: STREAM, variables: { after: position } });
  const { event } = await mutate(accessToken, SEND, { roomId: room.roomId, body: "hello" });
  const last = await mutate(accessToken, SEND, { roomId: room.roomId, body: "good night" });

  const received = [];
  for await (const { data, errors } of stream) {
    assert.equal(errors, undefined, JSON.stringify(errors));
    received.push(...data.eventStream.events.map((item) => item.eventId).filter(Boolean));
    if (received.includes(last.event.eventId)) break;
  }
  assert.deepEqual(received, [event.eventId, last.event.eventId]);
});
