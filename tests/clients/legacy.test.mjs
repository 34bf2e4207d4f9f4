// Clients that speak only the older subprotocol `graphql-ws` get a message that names the supported one.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { test } from "node:test";
import { promisify } from "node:util";
import graphqurl from "graphqurl";
import transport from "subscriptions-transport-ws";
import WebSocket from "ws";

const url = `${process.env.ROOKERY_URL}/graphql`;
const socketUrl = url.replace("http", "ws");
const MESSAGE =
  "This server does not speak the subprotocol graphql-ws of subscriptions-transport-ws. " +
  "Use a client that speaks graphql-transport-ws, such as the package graphql-ws.";

test("a_client_of_subscriptions_transport_ws_is_told_the_name_of_the_supported_protocol", async (context) => {
  const told = new Promise((resolve) => {
    const client = new transport.SubscriptionClient(socketUrl, { reconnect: false, connectionCallback: resolve }, WebSocket);
    context.after(() => client.close());
  });
  assert.equal((await told).message, MESSAGE);
});

test("graphqurl_is_told_the_name_of_the_supported_protocol", async () => {
  const told = new Promise((onConnectionError) => graphqurl.createClient({ endpoint: url, websocket: { onConnectionError } }));
  assert.equal((await told).payload.message, MESSAGE);
});

test("sgqlc_ends_with_an_error_instead_of_waiting", async () => {
  const program = "import sys; from sgqlc.endpoint.websocket import WebSocketEndpoint as E; next(E(sys.argv[1])('{ __typename }'))";
  const env = { ...process.env, PYTHONPATH: process.env.PYTHON_CORE_3_2 };
  const run = promisify(execFile)("python3", ["-B", "-c", program, socketUrl], { env });
  await assert.rejects(run, ({ stderr }) => stderr.includes("Unexpected connection_error when waiting for connection ack"));
});
