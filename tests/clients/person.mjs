// A user of the server at ROOKERY_URL, over HTTP and with graphql-ws; `cargo xtask test clients` sets the address.

import assert from "node:assert/strict";
import { createClient } from "graphql-ws";
import WebSocket from "ws";
import { REGISTER, STREAM } from "./operations.mjs";

const server = process.env.ROOKERY_URL;

/** Sends one request over HTTP; answers its data and its errors. */
export async function post(token, query, variables) {
  const headers = { "content-type": "application/json", accept: "application/graphql-response+json" };
  if (token) headers.authorization = `Bearer ${token}`;
  const body = JSON.stringify({ query, variables });
  const response = await fetch(`${server}/graphql`, { method: "POST", headers, body });
  return response.json();
}

/** Sends one request over HTTP; answers its data, and fails on errors. */
export async function ask(token, query, variables) {
  const { data, errors } = await post(token, query, variables);
  assert.equal(errors, undefined, JSON.stringify(errors));
  return data;
}

/** Runs the one mutation of a document; answers its payload, and fails on refusals. */
export async function act(token, query, input) {
  const [payload] = Object.values(await ask(token, query, { input }));
  assert.equal(payload.refusal ?? null, null, JSON.stringify(payload.refusal));
  return payload;
}

/** A new user with a device that is logged in. */
export async function register(username) {
  const { token, user } = await act(null, REGISTER, { username, password: "correct horse battery staple" });
  return { token, userId: user.userId };
}

/**
 * Follows the event stream of a device from `after` on, as a client would: it comes back after a cut, from where it
 * was, and not after its token was revoked.
 */
export function follow(context, token, after) {
  const sockets = [];
  const closed = [];
  const client = createClient({
    url: `${server.replace("http", "ws")}/graphql`,
    webSocketImpl: WebSocket,
    connectionParams: { Authorization: `Bearer ${token}` },
    retryAttempts: 5,
    retryWait: async () => {},
    shouldRetry: ({ code }) => code !== 4403,
    on: { connected: (socket) => sockets.push(socket), closed: ({ code }) => closed.push(code) },
  });
  context.after(() => client.dispose());
  // graphql-ws sends the variables as they are when it connects again.
  const variables = { after };
  const chunks = client.iterate({ query: STREAM, variables });
  const items = [];
  let read = 0;
  /** The next item that fits; what came before it is in `items` too. */
  const until = async (fits) => {
    for (;;) {
      while (read < items.length) if (fits(items[read++])) return items[read - 1];
      const { value, done } = await chunks.next();
      assert.equal(done ?? false, false, "the stream goes on");
      assert.equal(value.errors, undefined, JSON.stringify(value.errors));
      items.push(...value.data.eventStream.events);
      variables.after = value.data.eventStream.position;
    }
  };
  return { items, sockets, closed, until, cut: () => sockets.at(-1).terminate() };
}
