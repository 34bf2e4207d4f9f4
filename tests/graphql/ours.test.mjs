// Documents made at random for the schema of Rookery: the verdict is that of the reference implementation, and each answer is
// one that it could have given. DIFFERENTIAL_OURS says how many.

import assert from "node:assert/strict";
import { before, test } from "node:test";
import { parse, validate } from "graphql";
import { getVariableValues } from "graphql/execution/values.js";
import { limited, typeNameConflicts } from "./compare.mjs";
import { DocumentMaker } from "./documents.mjs";
import { broken } from "./mutations.mjs";
import { Random } from "./random.mjs";
import { replay } from "./replay.mjs";
import { ask, schemaOf, together } from "./server.mjs";

const COUNT = Number(process.env.DIFFERENTIAL_OURS ?? 2_000);
const SEED = Number(process.env.DIFFERENTIAL_SEED ?? 1);
const url = `${process.env.ROOKERY_URL}/graphql`;

const REGISTER = "mutation($input: RegisterInput!) { register(input: $input) { token user { userId } refusal { message } } }";
const CREATE = "mutation($input: CreateRoomInput!) { createRoom(input: $input) { room { roomId } refusal { message } } }";
const SAY = "mutation($input: SendMessageInput!) { sendMessage(input: $input) { event { eventId } refusal { message } } }";

let schema, headers, scalars;
before(async () => {
  const input = { username: `random${process.pid}`, password: "correct horse battery staple" };
  const { register } = (await ask(url, { query: REGISTER, variables: { input } })).data;
  assert.equal(register.refusal, null, register.refusal?.message);
  headers = { authorization: `Bearer ${register.token}` };
  const act = async (query, input) => Object.values((await ask(url, { query, variables: { input } }, headers)).data)[0];
  const { room } = await act(CREATE, { name: "A room" });
  const { event } = await act(SAY, { roomId: room.roomId, body: "Hello" });
  schema = await schemaOf(url);
  scalars = {
    CallID: ["no"],
    RoomID: [room.roomId, room.roomId, "!no:example.org"], EventID: [event.eventId], UserID: [register.user.userId],
    RoomAlias: ["#no:example.org"], ServerName: ["no.example.org"], DateTime: ["2026-01-31T12:00:00.000Z"], Position: ["no"], Cursor: ["no"], SyncCursor: ["no"],
  };
});

function made(seed) {
  const random = new Random(seed);
  const { document, variables } = new DocumentMaker(schema, random, { tellTypes: true, scalars, depth: 5 }).make("query");
  // What is broken may no longer tell the types that a replay has to know.
  const isWhole = random.chance(60);
  return { query: isWhole ? document : broken(document, random), variables, operationName: "Main", isWhole };
}

/** Whether it is valid, its variables too. */
function isValid({ query, variables, operationName }) {
  let document;
  try {
    document = parse(query);
  } catch {
    return false;
  }
  if (validate(schema, document).length > 0) return false;
  const operation = document.definitions.find((definition) => definition.name?.value === operationName);
  return Boolean(operation) && !getVariableValues(schema, operation.variableDefinitions ?? [], variables).errors;
}

test(`answers to ${COUNT} documents for our schema fit it`, async () => {
  const seen = { limited: 0, invalid: 0, executed: 0 };
  const found = [];
  await together(COUNT, async (index) => {
    const asked = made(SEED + index);
    const answer = await ask(url, asked, headers);
    if (limited(answer) || answer.errors?.[0]?.extensions?.code === "RATE_LIMITED") return seen.limited++;
    if (typeNameConflicts(asked.query, answer)) return seen.limited++;
    const [valid, executed] = [isValid(asked), "data" in answer];
    seen[valid ? "executed" : "invalid"]++;
    try {
      assert.equal(executed, valid, "verdict");
      if (executed && asked.isWhole) await replay(schema, asked.query, asked.variables, asked.operationName, answer);
    } catch (error) {
      found.push({ seed: SEED + index, why: error.message, ...asked, answer });
    }
  }, 4);
  console.log(`${JSON.stringify(seen)}, ${found.length} disagreements`);
  found.sort((one, other) => one.query.length - other.query.length);
  for (const one of found.slice(0, 8)) console.log(JSON.stringify(one, null, 1).slice(0, 3000));
  assert.equal(found.length, 0);
  assert.ok(seen.executed > COUNT / 4, "enough is executed");
});
