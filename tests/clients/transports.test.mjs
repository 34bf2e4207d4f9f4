// The event stream over every transport at once: all deliver the same.

import assert from "node:assert/strict";
import { test } from "node:test";
import { CREATE_ROOM, HOME, LOG_OUT, SEND_MESSAGE } from "./operations.mjs";
import { act, ask, follow, register } from "./person.mjs";

const url = `${process.env.ROOKERY_URL}/graphql`;
const STREAM = `subscription Stream($after: Position) {
  eventStream(after: $after) { events { __typename ... on RoomEvent { eventId text } } position }
}`;
const MULTIPART = "multipart/mixed;boundary=graphql;subscriptionSpec=1.0,application/json";

/** Sends a request with a user's token. */
const request = (token, method, headers, body, query = "") =>
  fetch(url + query, {
    method,
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json", ...headers },
    body: body && JSON.stringify(body),
  });

/** The pieces of an answer between separators, as they come. */
async function* pieces(response, separator) {
  let text = "";
  for await (const chunk of response.body.pipeThrough(new TextDecoderStream())) {
    const parts = (text + chunk).split(separator);
    text = parts.pop();
    yield* parts;
  }
}

/** Results of an event stream: `next` with its data, and the end. */
async function* events(response) {
  for await (const piece of pieces(response, "\n\n")) {
    const [, event, data] = /^event: (\w+)\ndata: ?(.*)$/.exec(piece) ?? [];
    if (event === "next") yield JSON.parse(data);
    if (event === "complete") return;
  }
}

const TRANSPORTS = {
  async *distinct(token, after) {
    const body = { query: STREAM, variables: { after } };
    yield* events(await request(token, "POST", { accept: "text/event-stream" }, body));
  },
  async *single(token, after) {
    const reserved = await request(token, "PUT");
    assert.equal(reserved.status, 201);
    const place = { "x-graphql-event-stream-token": await reserved.text() };
    const stream = await request(token, "GET", { accept: "text/event-stream", ...place });
    const body = { query: STREAM, variables: { after }, extensions: { operationId: "one" } };
    assert.equal((await request(token, "POST", place, body)).status, 202);
    for await (const { id, payload } of events(stream)) {
      assert.equal(id, "one");
      yield payload;
    }
  },
  async *multipart(token, after) {
    const body = { query: STREAM, variables: { after } };
    const response = await request(token, "POST", { accept: MULTIPART }, body);
    for await (const piece of pieces(response, "\r\n--graphql")) {
      if (piece === "" || piece.startsWith("--")) continue;
      const { payload, errors } = JSON.parse(piece.slice(piece.indexOf("\r\n\r\n")));
      if (errors) yield { errors };
      else if (payload) yield payload;
    }
  },
};

/** Reads until an item fits; returns the items and the position after them. */
async function until(stream, fits) {
  const items = [];
  for (;;) {
    const { value, done } = await stream.next();
    assert.ok(!done && value.data, JSON.stringify(value));
    items.push(...value.data.eventStream.events);
    if (items.some(fits)) return { items, position: value.data.eventStream.position };
  }
}

test("the_event_stream_is_the_same_over_every_transport", async (context) => {
  const { token } = await register("everywhere");
  const { position } = (await ask(token, HOME)).initialSync;
  const { room } = await act(token, CREATE_ROOM, { name: "Everywhere" });
  const say = (body) => act(token, SEND_MESSAGE, { roomId: room.roomId, body });
  await say("first");
  const is = (text) => (item) => item.text === text;

  const socket = follow(context, token, position, STREAM);
  const streams = Object.entries(TRANSPORTS).map(([name, open]) => ({ name, stream: open(token, position) }));
  await socket.until(is("first"));
  for (const each of streams) Object.assign(each, await until(each.stream, is("first")));
  await say("second");
  await socket.until(is("second"));
  for (const each of streams) each.items.push(...(await until(each.stream, is("second"))).items);
  for (const { name, items } of streams) assert.deepEqual(items, socket.items, name);

  // Each can resume over any other, from any position.
  for (const { position } of streams) {
    for (const [name, open] of Object.entries(TRANSPORTS)) {
      const resumed = open(token, position);
      assert.deepEqual((await until(resumed, is("second"))).items.filter((item) => item.text).map((item) => item.text), ["second"], name);
      await resumed.return();
    }
  }

  const ended = assert.rejects(socket.until(() => false), { code: 4403 });
  await act(token, LOG_OUT, {});
  await ended;
  for (const { name, stream } of streams) {
    const { value } = await stream.next();
    assert.equal(value.errors[0].extensions.code, "UNAUTHENTICATED", name);
    assert.equal((await stream.next()).done, true, name);
  }
});
