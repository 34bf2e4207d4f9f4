// Runs the operations of docs/calls.md in their order.

import assert from "node:assert/strict";
import { test } from "node:test";
import { act, ask, follow, register } from "./person.mjs";
import { read, walk } from "./walk.mjs";

const CREATE = `mutation ($input: CreateRoomInput!) { createRoom(input: $input) { room { roomId } refusal { code message } } }`;
const JOIN = `mutation ($input: JoinRoomInput!) { joinRoom(input: $input) { refusal { code message } } }`;
const POSITION = `{ viewer { position } }`;

const signal = (kind) => (item) => item.__typename === "CallSignal" && item.kind === kind;
const changed = (state) => (item) => item.__typename === "CallChanged" && item.call.state === state;

/** The variables and the expected answer of each operation. */
const STEPS = {
  Ring: async (world, document, context) => {
    for (const user of [world.ada, world.bob]) {
      const { viewer } = await ask(user.token, POSITION);
      user.stream = follow(context, user.token, viewer.position, document);
    }
  },
  Place: async (world, document) => {
    const variables = { room: world.room, callee: world.bob.userId, offer: "v=0 (the offer)" };
    const { placeCall } = await ask(world.ada.token, document, variables);
    assert.deepEqual([placeCall.refusal, placeCall.call.state], [null, "RINGING"]);
    world.place = { room: world.room, call: placeCall.call.callId };
    const { call } = await world.bob.stream.until(changed("RINGING"));
    assert.deepEqual([call.callId, call.caller.userId, call.partyId], [world.place.call, world.ada.userId, null]);
    assert.equal(call.callerPartyId, placeCall.partyId);
    assert.equal((await world.bob.stream.until(signal("OFFER"))).sdp, "v=0 (the offer)");
  },
  Trickle: async (world, document) => {
    const candidate = { candidate: "candidate:1 1 udp 1 192.0.2.1 9 typ host", sdpMid: "0", sdpMLineIndex: 0 };
    const candidates = [candidate, { candidate: "" }];
    const { sendCallSignal } = await ask(world.ada.token, document, { ...world.place, candidates });
    assert.equal(sendCallSignal.refusal, null);
    const told = await world.bob.stream.until(signal("CANDIDATES"));
    assert.deepEqual(told.candidates.map(({ candidate }) => candidate), [candidate.candidate, ""]);
  },
  PickUp: async (world, document) => {
    const { answerCall } = await ask(world.bob.token, document, { ...world.place, answer: "v=0 (the answer)" });
    assert.deepEqual([answerCall.refusal, answerCall.call.state], [null, "ANSWERED"]);
    assert.equal(answerCall.partyId, answerCall.call.answeredByPartyId);
    await world.ada.stream.until(changed("ANSWERED"));
    assert.equal((await world.ada.stream.until(signal("ANSWER"))).sdp, "v=0 (the answer)");
  },
  Renegotiate: async (world, document) => {
    const { sendCallSignal } = await ask(world.bob.token, document, { ...world.place, offer: "v=0 (again)" });
    assert.equal(sendCallSignal.refusal, null);
    assert.equal((await world.ada.stream.until(signal("RENEGOTIATION"))).sdp, "v=0 (again)");
  },
  Agree: async (world, document) => {
    const { sendCallSignal } = await ask(world.ada.token, document, { ...world.place, answer: "v=0 (agreed)" });
    assert.equal(sendCallSignal.refusal, null);
    assert.equal((await world.bob.stream.until(signal("ANSWER"))).sdp, "v=0 (agreed)");
  },
  HangUp: async (world, document) => {
    const { hangUpCall } = await ask(world.ada.token, document, world.place);
    const { state, endReason, endedBy, isMissed } = hangUpCall.call;
    assert.deepEqual([state, endReason, endedBy.userId, isMissed], ["ENDED", "USER_HANGUP", world.ada.userId, false]);
    await world.bob.stream.until(changed("ENDED"));
  },
  MyCall: async (world, document) => {
    assert.deepEqual(await ask(world.bob.token, document), { viewer: { call: null } });
  },
  Calls: async (world, document) => {
    const { room } = await ask(world.bob.token, document, { room: world.room });
    assert.deepEqual([room.call, room.calls.nodes.map(({ callId }) => callId)], [null, [world.place.call]]);
    const again = `query ($id: ID!) { node(id: $id) { ... on Call { callId } } }`;
    assert.deepEqual(await ask(world.bob.token, again, { id: room.calls.nodes[0].id }), { node: { callId: world.place.call } });
  },
};

test("page_about_calls_works_from_the_first_operation_to_the_last", async (context) => {
  const [ada, bob] = [await register("caller"), await register("callee")];
  const room = (await act(ada.token, CREATE, { preset: "PUBLIC" })).room.roomId;
  await act(bob.token, JOIN, { room: { roomId: room } });
  await walk(context, read("docs/calls.md"), STEPS, { ada, bob, room });
});
