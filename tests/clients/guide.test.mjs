// Runs the operations of docs/graphql.md in their order, and compares its lists of codes with the sources.

import assert from "node:assert/strict";
import { test } from "node:test";
import { ask, follow, post } from "./person.mjs";
import { read, walk } from "./walk.mjs";

const guide = read("docs/graphql.md");
const password = "correct horse battery staple";

/** The variables and the expected answer of each operation, in the order of the page. `world` passes through all of them. */
const STEPS = {
  Server: async (world, document) => {
    const { server } = await ask(null, document);
    assert.ok(server.name && server.version);
  },
  Register: async (world, document) => {
    for (const username of ["ada", "grace"]) {
      const { register } = await ask(null, document, { username, password });
      assert.equal(register.refusal, null);
      world[username] = { token: register.token, userId: register.user.userId };
    }
  },
  LogIn: async (world, document) => {
    const { logIn } = await ask(null, document, { username: "grace", password });
    assert.equal(logIn.user.userId, world.grace.userId);
    world.phone = logIn;
  },
  Devices: async (world, document) => {
    const { viewer } = await ask(world.phone.token, document);
    assert.deepEqual(viewer.devices.nodes.map((device) => device.name).sort(), ["laptop", "phone"]);
  },
  CreateRoom: async (world, document) => {
    const { createRoom } = await ask(world.ada.token, document, { invite: [world.grace.userId] });
    world.room = createRoom.room.roomId;
  },
  Home: async (world, document) => {
    const { initialSync } = await ask(world.phone.token, document);
    assert.deepEqual(initialSync.invites.map((invite) => invite.roomId), [world.room]);
    world.position = initialSync.position;
    const { rooms } = (await ask(world.ada.token, document)).initialSync;
    assert.equal(rooms[0].timeline.nodes.at(-1).type, "m.room.member");
  },
  CatchUp: async (world, document) => {
    const { initialSync } = await ask(world.phone.token, document, { since: world.position });
    assert.deepEqual([initialSync.updates, initialSync.invites, initialSync.closed.nodes], [[], [], []]);
  },
  Stream: async (world, document, context) => {
    world.stream = follow(context, world.phone.token, world.position, document);
  },
  Poll: async (world, document) => {
    const { events } = await ask(world.phone.token, document, { after: world.position });
    assert.deepEqual(events.events, []);
  },
  OnlyMessages: async (world, document) => {
    world.poll = async () => (await ask(world.phone.token, document, { after: world.position, room: world.room })).events;
    assert.deepEqual((await world.poll()).events, []);
  },
  StoreFilter: async (world, document) => {
    const { createFilter } = await ask(world.phone.token, document);
    assert.deepEqual(await ask(world.phone.token, document), { createFilter });
  },
  Join: async (world, document) => {
    const { joinRoom } = await ask(world.phone.token, document, { room: world.room });
    assert.deepEqual([joinRoom.room.name, joinRoom.room.members.nodes.length], ["The Tower", 2]);
    assert.equal(joinRoom.messages.nodes.at(-1).type, "m.room.member");
    world.opened = await world.stream.until((item) => item.__typename === "RoomOpened");
  },
  Say: async (world, document) => {
    const variables = { room: world.room, body: "Nevermore", actionId: 2 };
    const { sendMessage } = await ask(world.phone.token, document, variables);
    assert.deepEqual(await ask(world.phone.token, document, variables), { sendMessage });
    const item = await world.stream.until((item) => item.text === "Nevermore");
    assert.deepEqual([item.eventId, item.actionId], [sendMessage.event.eventId, 2]);
    const messages = (await world.poll()).events.filter((event) => event.__typename === "MessageEvent");
    assert.deepEqual(messages.map((event) => event.text), ["Nevermore"]);
    world.said = sendMessage;
  },
  Counted: async (world, document) => {
    const { viewer } = await ask(world.phone.token, document);
    assert.deepEqual([viewer.device.name, viewer.device.lastActionId], ["phone", 2]);
  },
  AsOf: async (world, document) => {
    const { room } = await ask(world.ada.token, document, { room: world.room, position: world.said.position });
    assert.equal(room.lastMessage.text, "Nevermore");
  },
  Rename: async (world, document) => {
    const { setProfile } = await ask(world.phone.token, document);
    assert.equal(setProfile.user.displayName, "Grace");
    await world.stream.until((item) => item.__typename === "ProfileChanged");
  },
  Directory: async (world, document) => {
    const { publicRooms } = await ask(world.phone.token, document);
    assert.deepEqual(publicRooms.nodes.map((room) => room.roomId), [world.room]);
  },
  Answer: async (world, document) => {
    const { sendMessage } = await ask(world.ada.token, document, { room: world.room, to: world.said.event.eventId });
    assert.deepEqual([sendMessage.refusal, sendMessage.event.replyTo.text], [null, "Nevermore"]);
  },
  React: async (world, document) => {
    const variables = { room: world.room, event: world.said.event.eventId };
    const { addReaction } = await ask(world.ada.token, document, variables);
    assert.ok(addReaction.event.eventId);
    assert.deepEqual(await ask(world.ada.token, document, variables), { addReaction: { event: null, refusal: null } });
  },
  WhatCameOfIt: async (world, document) => {
    const { event } = await ask(world.phone.token, document, { event: world.said.event.eventId });
    const users = [{ userId: world.ada.userId }];
    assert.deepEqual(event.reactions.nodes, [{ key: "🐦", count: 1, isMine: false, users: { nodes: users } }]);
    assert.deepEqual([event.editedContent, event.thread], [null, null]);
  },
  WhatHappened: async (world, document) => {
    const { room } = await ask(world.phone.token, document, { room: world.room });
    assert.deepEqual([room.powerLevels.ban, room.powerLevels.users.nodes], [50, []]);
    const message = room.timeline.nodes.find((event) => event.eventId === world.said.event.eventId);
    assert.deepEqual([message.__typename, message.kind, message.body], ["MessageEvent", "TEXT", "Nevermore"]);
  },
  Around: async (world, document) => {
    const { events } = await ask(world.ada.token, document, { after: world.said.position });
    const there = events.ephemeral.filter((item) => item.__typename === "PresenceChanged");
    assert.ok(there.some((item) => item.userId === world.grace.userId && item.presence === "ONLINE"));
  },
  Typing: async (world, document) => {
    const { setTyping } = await ask(world.phone.token, document, { room: world.room });
    assert.deepEqual(setTyping, { room: { typing: { nodes: [{ userId: world.grace.userId }] } }, refusal: null });
  },
  Away: async (world, document) => {
    const { setPresence } = await ask(world.ada.token, document);
    assert.equal(setPresence.user.userId, world.ada.userId);
  },
  MarkRead: async (world, document) => {
    const variables = { room: world.room, event: world.said.event.eventId };
    const { markRoomRead } = await ask(world.ada.token, document, variables);
    assert.deepEqual(markRoomRead, { room: { unreadCount: 0, highlightCount: 0 }, refusal: null });
    await world.stream.until((item) => item.__typename === "ReceiptMoved");
  },
  Unread: async (world, document) => {
    const { room } = await ask(world.phone.token, document, { room: world.room });
    assert.deepEqual([room.unreadCount, room.receipts.nodes.length], [1, 1]);
    const grace = room.members.nodes.find((member) => member.userId === world.grace.userId);
    assert.deepEqual([grace.isTyping, grace.presence.presence], [true, "ONLINE"]);
  },
  IceServers: async (world, document) => {
    const { iceServers } = await ask(world.phone.token, document);
    const [{ urls, username, credential, expiresAt }] = iceServers;
    assert.deepEqual(urls.map((url) => url.replace(/:\d+\?/, ":PORT?")), [
      "turn:127.0.0.1:PORT?transport=udp",
      "turn:127.0.0.1:PORT?transport=tcp",
    ]);
    assert.equal(username, `${Date.parse(expiresAt) / 1000}:${world.grace.userId}`);
    assert.ok(credential.length > 0 && Date.parse(expiresAt) > Date.now());
  },
  Prefer: async (world, document) => {
    const { setRoomPreferences } = await ask(world.phone.token, document, { room: world.room });
    const preferences = { notifications: "MENTIONS", isFavourite: true, isDirect: false };
    assert.deepEqual(setRoomPreferences, { room: { preferences, unreadCount: 1, notificationCount: 0 }, refusal: null });
    await world.stream.until((item) => item.__typename === "RoomPreferencesChanged");
  },
  Ignore: async (world, document) => {
    const { setUserIgnored } = await ask(world.phone.token, document);
    const user = { userId: "@spam:example.org", isIgnored: true };
    assert.deepEqual(setUserIgnored, { user, refusal: null });
  },
  StoreData: async (world, document) => {
    const { setAccountData } = await ask(world.phone.token, document);
    const accountData = { type: "com.example.theme", content: { dark: true } };
    assert.deepEqual(setAccountData, { accountData, refusal: null });
    const told = await world.stream.until((item) => item.__typename === "AccountDataChanged");
    assert.deepEqual(told.accountData.content, { dark: true });
  },
  Data: async (world, document) => {
    const { viewer, room } = await ask(world.phone.token, document, { room: world.room });
    assert.deepEqual([viewer.accountData.nodes, room.accountData.nodes], [[{ content: { dark: true } }], []]);
  },
  Older: async (world, document) => {
    const pages = [];
    for (let before = null; before !== undefined; ) {
      const { timeline } = (await ask(world.phone.token, document, { room: world.room, before })).room;
      pages.unshift(...timeline.nodes);
      before = timeline.pageInfo.hasPreviousPage ? timeline.pageInfo.startCursor : undefined;
    }
    assert.deepEqual(pages.map((event) => event.sequence), pages.map((_, index) => index + 1));
    assert.equal(pages[0].type, "m.room.create");
  },
  Permalink: async (world, document) => {
    const { timeline } = (await ask(world.phone.token, document, { room: world.room, event: world.said.event.eventId })).room;
    assert.equal(timeline.nodes[2].text, "Nevermore");
  },
  TakeBack: async (world, document) => {
    const variables = { room: world.room, event: world.said.event.eventId };
    const { redactEvent } = await ask(world.phone.token, document, variables);
    assert.deepEqual([redactEvent.refusal, redactEvent.event.type], [null, "m.room.redaction"]);
    world.redaction = redactEvent.event.eventId;
  },
  TakenBack: async (world, document) => {
    const { event } = await ask(world.phone.token, document, { event: world.said.event.eventId });
    const redactedBecause = {
      reason: "Said too much",
      by: { userId: world.grace.userId },
      event: { eventId: world.redaction },
    };
    assert.deepEqual(event, { text: null, content: {}, isRedacted: true, redactedBecause });
  },
  ServerStatus: async (world, document) => {
    const { errors } = await post(world.phone.token, document);
    assert.deepEqual(errors.map((error) => error.extensions.code), ["FORBIDDEN"]);
  },
  NotMine: async (world, document) => {
    const { setRoomName } = await ask(world.phone.token, document, { room: world.room });
    assert.equal(setRoomName.refusal.code, "INSUFFICIENT_POWER");
  },
  LogOut: async (world, document) => {
    const ended = assert.rejects(world.stream.until(() => false), { code: 4403 });
    assert.deepEqual(await ask(world.phone.token, document), { logOut: { devices: 1 } });
    await ended;
    const { errors } = await post(world.phone.token, "{ viewer { position } }");
    assert.equal(errors[0].extensions.code, "UNAUTHENTICATED");
  },
};

test("guide_works_from_the_first_operation_to_the_last", (context) => walk(context, guide, STEPS));

/** The codes in the first columns of the table that begins with `head`, sorted. */
function codes(head, column) {
  const table = guide.slice(guide.indexOf(head)).split("\n\n")[0].split("\n").slice(2);
  return table.flatMap((row) => [...row.split("|")[column].matchAll(/`([A-Z_]+)`/g)].map(([, code]) => code)).sort();
}

test("guide_names_every_refusal_of_the_schema", async () => {
  const { __type } = await ask(null, `{ __type(name: "RefusalCode") { enumValues { name } } }`);
  assert.deepEqual(codes("| about |", 2), __type.enumValues.map(({ name }) => name).sort());
});

test("guide_names_every_error_of_the_sources", () => {
  const transport = read("crates/graphql-documents/src/answer/refusal.rs").matchAll(/&str = "([A-Z_]+)"/g);
  const files = ["crates/values/src/errors/fault.rs", "crates/gateway/src/schema/cost.rs"];
  const schema = files.flatMap((file) => [...read(file).matchAll(/code: "([A-Z_]+)"/g)]);
  const known = new Set([...transport, ...schema].map(([, code]) => code));
  assert.deepEqual(codes("| `extensions.code` |", 1), [...known].sort());
});
