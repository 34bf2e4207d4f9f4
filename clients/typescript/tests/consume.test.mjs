// Consumers of the client against the server at ROOKERY_URL, over a network that cuts.

import assert from "node:assert/strict";
import { test } from "node:test";
import WebSocket from "ws";
import { connect } from "../dist/index.js";
import { CREATE_ROOM } from "../../../tests/clients/operations.mjs";
import { act, register } from "../../../tests/clients/person.mjs";
import { proxy } from "../../../tests/clients/proxy.mjs";

const server = process.env.ROOKERY_URL;

/** A user with a room, and a client that retries at once. */
async function scene(context, name, url = server) {
  const { token } = await register(name);
  const { room } = await act(token, CREATE_ROOM, { name: "Rooks", preset: "PUBLIC" });
  const client = await connect({ url, token, webSocket: WebSocket, wait: async () => {} });
  context.after(() => client.close());
  return { token, roomId: room.roomId, client };
}

test("a_consumer_gets_each_message_over_cuts_and_batches_that_come_again_are_the_same", async (context) => {
  let budgets = 30;
  const network = await proxy(context, () => (budgets-- > 0 ? 3000 + budgets * 50 : Infinity));
  const { client, roomId } = await scene(context, "consuming", network.url);
  const bodies = Array.from({ length: 60 }, (_, index) => `message ${index}`);
  const sent = Promise.all(bodies.map((body) => client.send(roomId, body).answer));
  const batches = new Map();
  const heard = [];
  for await (const batch of client.consume("bot", { max: 5, from: { beginning: true } })) {
    if (batch.batch === null) continue;
    const known = batches.get(batch.batch);
    if (known) assert.deepEqual([batch.position, batch.events], known, "a batch came again with other boundaries");
    batches.set(batch.batch, [batch.position, batch.events]);
    if (!known) heard.push(...batch.events.map((item) => item.__typename === "MessageEvent" && item.text).filter(Boolean));
    await batch.acknowledge();
    if (heard.length >= bodies.length) break;
  }
  await sent;
  assert.deepEqual(heard, bodies);
  assert.ok(network.cuts >= 3, `only ${network.cuts} cuts`);
});

test("what_was_not_acknowledged_comes_to_the_next_program_and_the_first_one_ends", async (context) => {
  const { client, token, roomId } = await scene(context, "consuming-twice");
  await client.send(roomId, "hello").answer;
  const texts = ({ events }) => events.map(({ text }) => text).filter(Boolean);
  const first = client.consume("bot", { from: { beginning: true } });
  const one = (await first.next()).value;
  assert.deepEqual(texts(one), ["hello"]);
  const ended = assert.rejects(first.next(), { code: "CONSUMER_TAKEN_OVER" });
  const other = await connect({ url: server, token, webSocket: WebSocket, wait: async () => {} });
  context.after(() => other.close());
  const second = other.consume("bot");
  const again = (await second.next()).value;
  assert.deepEqual([again.batch, again.position, texts(again)], [one.batch, one.position, ["hello"]]);
  await ended;
  await again.acknowledge();
  await again.acknowledge();
  await assert.rejects(other.acknowledge("other", again.position), { name: "Refused", code: "NO_SUCH_CONSUMER" });
  await second.return();
});
