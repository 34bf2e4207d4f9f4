// The same raw frames to the reference server of graphql-ws and to ours: both have to send and close the same.

import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { after, before, test } from "node:test";
import { buildSchema } from "graphql";
import { useServer } from "graphql-ws/use/ws";
import WebSocket, { WebSocketServer } from "ws";
import { HOME } from "./operations.mjs";
import { ask, register } from "./person.mjs";

const PROTOCOL = "graphql-transport-ws";

/** The part of our schema that the frames use. */
const schema = buildSchema(`
  type Query { server: Server! user(userId: ID!): User }
  type Server { name: String! }
  type User { userId: ID! }
  type Mutation { setProfile(input: SetProfileInput!): Payload! }
  input SetProfileInput { displayName: String }
  type Payload { position: String }
  scalar Position
  type Subscription { eventStream(after: Position): Chunk! }
  type Chunk { position: String }
`);
const roots = {
  query: { server: { name: "reference" } },
  mutation: { setProfile: () => { throw new Error("log in"); } },
  // Silent, like the stream of a user without events.
  subscription: { eventStream: () => ({ [Symbol.asyncIterator]: () => silence() }) },
};

function silence() {
  let end;
  const ended = new Promise((resolve) => (end = () => resolve({ done: true, value: undefined })));
  const stop = async () => (end(), ended);
  return { next: () => ended, return: stop, throw: stop, [Symbol.asyncIterator]() { return this; } };
}

let http, reference;
before(async () => {
  http = createServer();
  useServer({ schema, roots, connectionInitWaitTimeout: 3000 }, new WebSocketServer({ server: http, path: "/graphql" }));
  http.listen(0, "127.0.0.1");
  await once(http, "listening");
  reference = `ws://127.0.0.1:${http.address().port}/graphql`;
});
after(() => {
  http.closeAllConnections();
  http.close();
});

const init = { type: "connection_init" };
const ping = { type: "ping" };
const subscribe = (id, query, more) => ({ id, type: "subscribe", payload: { query, ...more } });
const HOLD = "subscription ($after: Position) { eventStream(after: $after) { position } }";
const ASK = "{ server { name } }";

/**
 * The frames of each case. Text and bytes are sent unchanged; a `ping` at the end shows that the socket lives. If the servers
 * differ, `ours` is the answer of ours, and `why` the reason.
 */
const CASES = [
  { name: "init_is_acknowledged", send: [init, ping] },
  { name: "init_with_a_payload", send: [{ ...init, payload: {} }, ping] },
  { name: "init_with_null_as_payload", send: [{ ...init, payload: null }, ping] },
  { name: "init_with_text_as_payload", send: [{ ...init, payload: "x" }] },
  { name: "init_twice", send: [init, init] },
  { name: "ping_before_init", send: [ping] },
  { name: "ping_with_a_payload", send: [{ ...ping, payload: { a: 1 } }] },
  { name: "ping_with_text_as_payload", send: [{ ...ping, payload: "x" }, ping], ours: ["pong", "pong"], why: "the payload of a ping is not looked at, as none of it is used" },
  { name: "pong_unasked", send: [{ type: "pong" }, ping] },
  { name: "pong_unasked_with_a_payload", send: [{ type: "pong", payload: {} }, ping] },
  { name: "subscribe_before_init", send: [subscribe("1", ASK)] },
  { name: "complete_before_init", send: [{ id: "1", type: "complete" }, ping] },
  { name: "no_json", send: ["nonsense"] },
  { name: "empty_text", send: [""] },
  { name: "json_that_is_no_object", send: ["[]"] },
  { name: "json_null", send: ["null"] },
  { name: "no_type", send: [{ id: "1" }] },
  { name: "unknown_type", send: [{ type: "start", id: "1" }] },
  { name: "unknown_type_after_init", send: [init, { type: "start", id: "1" }] },
  { name: "type_that_is_a_number", send: [{ type: 7 }] },
  { name: "message_of_the_server", send: [init, { type: "next", id: "1", payload: { data: {} } }], ours: ["connection_ack", 4400], why: "the reference throws and closes with 4500: it is an invalid message, thus 4400" },
  { name: "ack_of_the_client", send: [init, { type: "connection_ack" }], ours: ["connection_ack", 4400], why: "the same" },
  { name: "binary_with_a_message", send: [Buffer.from(JSON.stringify(init)), ping], ours: [4400], why: "the protocol is text; the reference reads binary frames as text" },
  { name: "binary_with_nonsense", send: [Buffer.from([0xff, 0x00])] },
  { name: "subscribe_without_id", send: [init, { type: "subscribe", payload: { query: ASK } }] },
  { name: "subscribe_with_empty_id", send: [init, subscribe("", ASK)] },
  { name: "subscribe_with_number_as_id", send: [init, subscribe(7, ASK)] },
  { name: "subscribe_without_payload", send: [init, { type: "subscribe", id: "1" }] },
  { name: "subscribe_without_query", send: [init, { type: "subscribe", id: "1", payload: {} }] },
  { name: "subscribe_with_number_as_query", send: [init, subscribe("1", 7)] },
  { name: "subscribe_with_text_as_variables", send: [init, subscribe("1", ASK, { variables: "x" })] },
  { name: "subscribe_with_number_as_operation_name", send: [init, subscribe("1", ASK, { operationName: 7 })] },
  { name: "subscribe_with_text_as_extensions", send: [init, subscribe("1", ASK, { extensions: "x" })] },
  { name: "nulls_where_they_may_be", send: [init, subscribe("1", ASK, { variables: null, operationName: null, extensions: null })] },
  { name: "complete_without_id", send: [init, { type: "complete" }] },
  { name: "complete_of_unknown_id", send: [init, { id: "never", type: "complete" }, ping] },
  { name: "query", send: [init, subscribe("1", ASK)] },
  { name: "same_id_again_after_completion", send: [init, subscribe("1", ASK)], then: [subscribe("1", ASK)] },
  { name: "mutation_that_fails_in_its_resolver", send: [init, subscribe("1", 'mutation { setProfile(input: { displayName: "x" }) { position } }')] },
  { name: "document_that_does_not_parse", send: [init, subscribe("1", "{")], ours: ["connection_ack", "error 1"], why: "a request error, as the protocol says; the reference throws and closes with 4500" },
  { name: "document_that_is_not_valid", send: [init, subscribe("1", "{ nothing }")] },
  { name: "empty_document", send: [init, subscribe("1", "")], ours: ["connection_ack", "error 1"], why: "the same" },
  { name: "subscription_that_is_not_valid", send: [init, subscribe("1", "subscription { nothing }")] },
  { name: "subscription_to_two_things", authorized: true, send: [init, subscribe("1", "subscription { a: eventStream { position } b: eventStream { position } }")] },
  { name: "operation_that_is_not_there", send: [init, subscribe("1", "query A { server { name } }", { operationName: "B" })] },
  { name: "operation_that_is_not_chosen", send: [init, subscribe("1", "query A { server { name } } query B { server { name } }")] },
  { name: "operation_that_is_chosen", send: [init, subscribe("1", "query A { server { name } } subscription B { eventStream { position } }", { operationName: "A" })] },
  { name: "variable_that_is_missing", send: [init, subscribe("1", "query ($id: ID!) { user(userId: $id) { userId } }")], ours: ["connection_ack", "error 1"], why: "GraphQL calls it a request error; the reference sends it as a result without data" },
  { name: "variable_that_is_null", send: [init, subscribe("1", "query ($id: ID!) { user(userId: $id) { userId } }", { variables: { id: null } })], ours: ["connection_ack", "error 1"], why: "the same" },
  { name: "socket_lives_after_an_error", send: [init, subscribe("1", "{ nothing }")], then: [subscribe("1", ASK)] },
  { name: "id_taken", authorized: true, send: [init, subscribe("1", HOLD), subscribe("1", ASK)] },
  { name: "other_ids_are_free", authorized: true, send: [init, subscribe("1", HOLD), subscribe("2", ASK)] },
  { name: "complete_while_running", authorized: true, send: [init, subscribe("1", HOLD), { id: "1", type: "complete" }, ping] },
  { name: "id_free_after_complete", authorized: true, send: [init, subscribe("1", HOLD), { id: "1", type: "complete" }, subscribe("1", ASK)] },
  { name: "no_subprotocol", protocols: [], send: [], waits: true },
  { name: "init_that_never_comes", send: [], waits: true },
];

/** Sends the frames of a case; returns the types (with IDs) of the answers, and the close code if there is one. */
async function converse(url, { send, then = [], protocols = [PROTOCOL] }, done) {
  const socket = new WebSocket(url, protocols);
  const heard = [];
  let wake = () => {};
  const note = (what) => (heard.push(what), wake());
  socket.on("message", (data) => {
    const { type, id } = JSON.parse(data);
    note(id === undefined ? type : `${type} ${id}`);
  });
  socket.on("close", (code) => note(code));
  const until = async (holds) => {
    while (!holds() && socket.readyState !== WebSocket.CLOSED) await new Promise((resolve) => (wake = resolve));
  };
  const say = (frames) => {
    for (const frame of frames) {
      const raw = typeof frame === "string" || Buffer.isBuffer(frame);
      socket.send(raw ? frame : JSON.stringify(frame), { binary: Buffer.isBuffer(frame) });
    }
  };
  await once(socket, "open");
  // A closing server may drop its earlier answers, so the test waits for each of these.
  if (send[0] === init || send[0]?.payload?.Authorization) {
    say([send[0]]);
    await until(() => heard.length > 0);
    send = send.slice(1);
  }
  say(send);
  if (then.length > 0) {
    await until(() => heard.some((what) => /^(complete|error) /.test(what)));
    say(then);
  }
  await until(() => done(heard));
  // All other answers have arrived when the server has answered a few pings of the WebSocket protocol.
  for (let round = 0; round < 3 && socket.readyState === WebSocket.OPEN; round++) {
    socket.ping();
    await Promise.race([once(socket, "pong"), once(socket, "close")]);
  }
  const answer = [...heard];
  socket.terminate();
  return answer;
}

const closed = (heard) => typeof heard.at(-1) === "number";

test("raw_frames_are_answered_as_by_the_reference_server", async (context) => {
  const { token } = await register("raw");
  // Without a position, a stream sends its own at once.
  const variables = { after: (await ask(token, HOME)).initialSync.position };
  const ours = `${process.env.ROOKERY_URL.replace("http", "ws")}/graphql`;
  for (const { name, why, waits, authorized, ...frames } of CASES) {
    await context.test(name, async () => {
      for (const { payload } of frames.send) {
        if (payload?.query === HOLD) payload.variables = variables;
      }
      if (authorized) frames.send[0] = { ...init, payload: { Authorization: `Bearer ${token}` } };
      const theirs = await converse(reference, frames, waits ? closed : () => true);
      const wanted = frames.ours ?? theirs;
      assert.ok(wanted.length > 0, "the case shows nothing");
      if (frames.ours) {
        assert.ok(why);
        assert.notDeepEqual(theirs, frames.ours, "the difference is gone");
      }
      const heard = await converse(ours, frames, (heard) => closed(heard) || heard.length >= wanted.length);
      assert.deepEqual(heard, wanted);
    });
  }
});
