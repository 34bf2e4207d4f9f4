// A user of the server at ROOKERY_URL, over HTTP and with graphql-ws; `cargo xtask test clients` sets the address.

import assert from "node:assert/strict";
import { createClient } from "graphql-ws";
import WebSocket from "ws";
import { OLDER, REGISTER, STREAM } from "./operations.mjs";

const server = process.env.ROOKERY_URL;

/** The password of all users. */
export const PASSWORD = "correct horse battery staple";

/** Sends one request over HTTP, to the server or to a proxy before it; returns its data and its errors. */
export async function post(token, query, variables, url = server) {
  const headers = { "content-type": "application/json", accept: "application/graphql-response+json" };
  if (token) headers.authorization = `Bearer ${token}`;
  const body = JSON.stringify({ query, variables });
  const response = await fetch(`${url}/graphql`, { method: "POST", headers, body });
  return response.json();
}

/** Sends one request over HTTP; returns its data, and fails on errors. */
export async function ask(token, query, variables) {
  const { data, errors } = await post(token, query, variables);
  assert.equal(errors, undefined, JSON.stringify(errors));
  return data;
}

/** Runs the one mutation of a document; returns its payload, and fails on refusals. */
export async function act(token, query, input) {
  const [payload] = Object.values(await ask(token, query, { input }));
  assert.equal(payload.refusal ?? null, null, JSON.stringify(payload.refusal));
  return payload;
}

/** A new user with a logged-in device. */
export async function register(username) {
  const { token, user } = await act(null, REGISTER, { username, password: PASSWORD });
  return { token, userId: user.userId };
}

/** The timeline of a room before a cursor, oldest first, by pages of two. */
export async function before(token, room, cursor) {
  const events = [];
  for (let page = { hasPreviousPage: true, startCursor: cursor }; page.hasPreviousPage; ) {
    const { timeline } = (await ask(token, OLDER, { room, before: page.startCursor })).room;
    events.unshift(...timeline.nodes);
    page = timeline.pageInfo;
  }
  return events;
}

/**
 * Follows the event stream of a device from `after` on, as a client would: it resumes after a cut, and stops after its
 * token was revoked.
 */
export function follow(context, token, after, query = STREAM) {
  const stream = { items: [], sockets: [], closed: [] };
  const client = createClient({
    url: `${server.replace("http", "ws")}/graphql`,
    webSocketImpl: WebSocket,
    connectionParams: { Authorization: `Bearer ${token}` },
    retryAttempts: 5,
    retryWait: async () => {},
    shouldRetry: ({ code }) => code !== 4403,
    on: { connected: (socket) => stream.sockets.push(socket), closed: ({ code }) => stream.closed.push(code) },
  });
  context.after(() => client.dispose());
  let wake = () => {};
  let end;
  // graphql-ws sends the current values of the variables when it connects again.
  const variables = { after };
  const next = ({ data, errors }) => {
    if (errors) return error(errors);
    variables.after = data.eventStream.position;
    stream.items.push(...data.eventStream.events, ...(data.eventStream.ephemeral ?? []));
    wake();
  };
  const error = (reason) => wake((end = reason));
  client.subscribe({ query, variables }, { next, error, complete: () => error(new Error("the stream ended")) });
  let read = 0;
  /** The next item that fits; earlier items are in `items` too. */
  stream.until = async (fits) => {
    for (;;) {
      while (read < stream.items.length) if (fits(stream.items[read++])) return stream.items[read - 1];
      if (end) throw end;
      await new Promise((resolve) => (wake = resolve));
    }
  };
  stream.cut = () => stream.sockets.at(-1).terminate();
  return stream;
}
