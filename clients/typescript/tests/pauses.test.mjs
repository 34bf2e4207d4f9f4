// The pauses between tries, with the client's real back-off.

import assert from "node:assert/strict";
import { getEventListeners } from "node:events";
import { createServer } from "node:http";
import { test } from "node:test";
import WebSocket from "ws";
import { connect } from "../dist/index.js";
import { backOff, pause } from "../dist/backoff.js";
import { CREATE_ROOM, HOME } from "../../../tests/clients/operations.mjs";
import { act, register } from "../../../tests/clients/person.mjs";
import { proxy } from "../../../tests/clients/proxy.mjs";

const server = process.env.ROOKERY_URL;

/** A server whose answers come from `answers`, one after the other; the last one again and again. */
async function scripted(context, answers) {
  const times = [];
  const http = createServer((request, response) => {
    const { status = 200, headers = {}, body } = answers[Math.min(times.length, answers.length - 1)];
    times.push(performance.now());
    response.writeHead(status, headers).end(typeof body === "string" ? body : JSON.stringify(body));
  });
  await new Promise((resolve) => http.listen(0, "127.0.0.1", resolve));
  context.after(() => http.close());
  return { url: `http://127.0.0.1:${http.address().port}`, times };
}

const counted = { body: { data: { viewer: { device: { lastActionId: 0 } } } } };
const failed = (extensions) => ({ body: { errors: [{ message: "later", extensions }] } });

test("a_pause_leaves_no_listener_behind_and_ends_at_once_when_the_client_closes", async () => {
  const ending = new AbortController();
  const { signal } = ending;
  for (let attempt = 0; attempt < 20; attempt++) await pause(async () => {}, 1, signal, 1);
  await backOff(-5, signal);
  assert.equal(getEventListeners(signal, "abort").length, 0);
  // All of these would take half a minute, or for ever.
  const pauses = [backOff(20, signal), pause(backOff, 20, signal), pause(() => new Promise(() => {}), 1, signal), pause(async () => {}, 1, signal, 60_000)];
  ending.abort();
  await Promise.all(pauses);
  assert.equal(getEventListeners(signal, "abort").length, 0);
  await Promise.all([backOff(20, signal), pause(backOff, 20, signal, 60_000)]);
});

test("close_ends_all_that_waits_at_once", async (context) => {
  const { token } = await register("closer");
  let isDown = false;
  const network = await proxy(context, () => (isDown ? 0 : Infinity));
  const client = await connect({ url: network.url, token, webSocket: WebSocket });
  await client.query(HOME);
  const followed = (async () => {
    for await (const _ of client.follow()) {
      isDown = true;
      network.cut();
    }
  })();
  const started = performance.now();
  const cuts = async (count) => {
    while (network.cuts < count) await new Promise((resolve) => setTimeout(resolve, 20));
  };
  // No server answers any more: after some tries the pauses are seconds long.
  await cuts(5);
  const asked = client.query(HOME).catch((error) => error.name);
  const sent = client.send("!room", "hello").answer.catch((error) => error.name);
  await cuts(8);
  const closed = performance.now();
  client.close();
  await followed;
  assert.deepEqual([await asked, await sent], ["AbortError", "AbortError"]);
  assert.ok(performance.now() - closed < (closed - started) / 10, "it waits for the end of a pause");
});

test("what_the_server_says_about_coming_back_is_obeyed", async (context) => {
  const cases = [
    { ...failed({ code: "RATE_LIMITED", retryAfter: 2 }), status: 429 },
    { status: 503, headers: { "retry-after": "2" }, body: "down for a moment" },
  ];
  for (const first of cases) {
    const { url, times } = await scripted(context, [first, counted]);
    const client = await connect({ url, token: "x", wait: async () => {} });
    client.close();
    assert.ok(times[1] - times[0] >= 1_950, `${times[1] - times[0]} ms`);
  }
  const limited = { body: { data: { sendMessage: { event: null, refusal: { code: "RATE_LIMITED", message: "later", retryAfter: 2 } } } } };
  const done = { body: { data: { sendMessage: { event: { eventId: "$1" }, refusal: null } } } };
  const { url, times } = await scripted(context, [counted, limited, done]);
  const client = await connect({ url, token: "x" });
  assert.equal((await client.send("!room", "hello").answer).event.eventId, "$1");
  client.close();
  assert.ok(times[2] - times[1] >= 1_950, `${times[2] - times[1]} ms`);
});

test("an_action_whose_outcome_is_unknown_is_sent_again_with_its_number", async (context) => {
  const unknown = { ...failed({ code: "INTERNAL", outcome: "UNKNOWN" }), status: 500 };
  const done = { body: { data: { sendMessage: { event: { eventId: "$1" }, refusal: null } } } };
  const { url, times } = await scripted(context, [counted, unknown, done]);
  const client = await connect({ url, token: "x" });
  assert.equal((await client.send("!room", "hello").answer).event.eventId, "$1");
  client.close();
  assert.equal(times.length, 3);
  const broken = await scripted(context, [counted, { ...failed({ code: "INTERNAL", outcome: "NOTHING_CHANGED" }), status: 500 }]);
  const other = await connect({ url: broken.url, token: "x" });
  await assert.rejects(other.send("!room", "hello").answer, { code: "INTERNAL" });
  other.close();
});

test("with_its_own_back_off_a_client_comes_back_and_tells_each_event_once", async (context) => {
  const { token } = await register("patience");
  const { room } = await act(token, CREATE_ROOM, { name: "Rooks", preset: "PUBLIC" });
  const network = await proxy(context, () => Infinity);
  const client = await connect({ url: network.url, token, webSocket: WebSocket });
  context.after(() => client.close());
  const bodies = [];
  for await (const { events } of client.follow()) {
    bodies.push(...events.filter(({ __typename }) => __typename.endsWith("Event")).map(({ text }) => text));
    if (bodies.length === 3) break;
    network.cut();
    client.send(room.roomId, `message ${bodies.length}`);
  }
  assert.deepEqual(bodies, ["message 0", "message 1", "message 2"]);
});
