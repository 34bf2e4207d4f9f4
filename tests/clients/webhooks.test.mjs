// Runs the operations of docs/webhooks.md in their order, and posts with the package that Slack publishes for webhooks.

import assert from "node:assert/strict";
import { test } from "node:test";
import { IncomingWebhook } from "@slack/webhook";
import { act, ask, register } from "./person.mjs";
import { read, walk } from "./walk.mjs";

const server = process.env.ROOKERY_URL;

const CREATE = `mutation ($input: CreateRoomInput!) { createRoom(input: $input) { room { roomId } refusal { code message } } }`;
const LAST = `query ($room: RoomID!) { room(by: { roomId: $room }) { lastMessage { text content sender { displayName } } } }`;

const last = async (world) => (await ask(world.ada.token, LAST, { room: world.room })).room.lastMessage;
const hook = (world) => new IncomingWebhook(`${server}${world.path}`);

const STEPS = {
  Webhooks: async (world, document) => {
    world.list = async () => (await ask(world.ada.token, document, { room: world.room })).room;
    const { can, incomingWebhooks } = await world.list();
    assert.deepEqual([can.manageWebhooks, incomingWebhooks.nodes], [true, []]);
  },
  Make: async (world, document) => {
    const { createIncomingWebhook } = await ask(world.ada.token, document, { room: world.room });
    assert.equal(createIncomingWebhook.refusal, null);
    world.id = createIncomingWebhook.webhook.webhookId;
    world.path = createIncomingWebhook.path;
    assert.deepEqual(await hook(world).send("a *plain* text"), { text: "ok" });
    assert.equal((await last(world)).text, "a plain text");
    await hook(world).send({
      text: "for notifications",
      blocks: [{ type: "section", text: { type: "mrkdwn", text: "built <https://x.org|main>" } }],
      attachments: [{ color: "good", fields: [{ title: "Took", value: "1 s", short: true }] }],
    });
    const { text, content, sender } = await last(world);
    assert.deepEqual([text, sender.displayName], ["built main (https://x.org)\nTook: 1 s", "Alerts"]);
    assert.equal(content.formatted_body, '<p>built <a href="https://x.org">main</a></p><p><strong>Took</strong>: 1 s</p>');
    await assert.rejects(hook(world).send({ text: "" }), (error) => error.body === "no_text");
  },
  Rotate: async (world, document) => {
    const before = hook(world);
    const { rotateIncomingWebhook } = await ask(world.ada.token, document, { webhook: world.id });
    assert.deepEqual([rotateIncomingWebhook.refusal, rotateIncomingWebhook.webhook], [null, { isActive: true }]);
    world.path = rotateIncomingWebhook.path;
    await assert.rejects(before.send("x"), (error) => error.statusCode === 403);
    assert.deepEqual(await hook(world).send("again"), { text: "ok" });
    const [listed] = (await world.list()).incomingWebhooks.nodes;
    assert.deepEqual([listed.webhookId, listed.user.displayName, listed.isActive], [world.id, "Alerts", true]);
  },
  Delete: async (world, document) => {
    const { deleteIncomingWebhook } = await ask(world.ada.token, document, { webhook: world.id });
    assert.deepEqual(deleteIncomingWebhook, { webhookId: world.id, refusal: null });
    await assert.rejects(hook(world).send("x"), (error) => error.statusCode === 404);
    assert.deepEqual((await world.list()).incomingWebhooks.nodes, []);
    assert.equal((await last(world)).text, "again");
  },
  MakeOutgoing: async (world, document) => {
    const { createOutgoingWebhook } = await ask(world.ada.token, document, { room: world.room });
    assert.equal(createOutgoingWebhook.refusal, null);
    assert.match(createOutgoingWebhook.secret, /^whsec_/);
    world.outgoing = createOutgoingWebhook.webhook.webhookId;
  },
  OutgoingWebhooks: async (world, document) => {
    const { viewer } = await ask(world.ada.token, document, {});
    const listed = viewer.outgoingWebhooks.nodes.map(({ webhookId, isActive }) => [webhookId, isActive]);
    assert.deepEqual(listed, [[world.outgoing, true]]);
  },
  Resume: async (world, document) => {
    const { resumeOutgoingWebhook } = await ask(world.ada.token, document, { webhook: world.outgoing });
    assert.deepEqual(resumeOutgoingWebhook, { webhook: { isActive: true }, refusal: null });
  },
};

test("page_about_webhooks_works_and_the_package_of_slack_posts", async (context) => {
  const world = { ada: await register("alerted") };
  const { room } = await act(world.ada.token, CREATE, { name: "Operations" });
  world.room = room.roomId;
  await walk(context, read("docs/webhooks.md"), STEPS, world);
});
