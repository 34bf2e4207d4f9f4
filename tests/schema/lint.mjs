// Lints schema.graphql: the recommended rules of graphql-eslint for schemas, and those of Relay.

import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import plugin from "@graphql-eslint/eslint-plugin";
import { Linter } from "eslint";

const path = process.argv[2] ?? fileURLToPath(new URL("../../schema.graphql", import.meta.url));
const text = readFileSync(path, "utf8");

const rules = {
  ...plugin.configs["flat/schema-recommended"].rules,
  ...plugin.configs["flat/schema-relay"].rules,
  // Clients can fetch Room, RoomEvent and User again by the `id` of Node; the other types are values without an ID.
  "@graphql-eslint/strict-id-in-types": "off",
  // Short complete lists, such as the rooms that an event names, are no connections.
  "@graphql-eslint/relay-edge-types": ["error", { listTypeCanWrapOnlyEdgeType: false }],
  // A list with a single order has pages in that order.
  "@graphql-eslint/relay-arguments": ["error", { includeBoth: false }],
};

const lastPage = "the last page, with the answer that it is part of; `Room.timeline` scrolls on from it";
const value = "a value without an ID, which is fetched with what it belongs to";
const matrixName = "the Matrix identifier, beside the global `id`";
const callWord = "who calls and who is called: the words only begin like the type";
/** Accepted findings: rule, place, reason. An entry without a finding is an error. */
const EXCEPTIONS = [
  ["no-typename-prefix", "Call.callId", matrixName],
  ["no-typename-prefix", "Call.caller", callWord],
  ["no-typename-prefix", "Call.callerPartyId", callWord],
  ["no-typename-prefix", "Call.callee", callWord],
  ["no-typename-prefix", "Device.deviceId", matrixName],
  ["no-typename-prefix", "Room.roomId", matrixName],
  ["no-typename-prefix", "User.userId", matrixName],
  ["no-typename-prefix", "Room.roomType", "`type` is what events have; this is the Matrix room type"],
  ["no-typename-prefix", "Invite.inviter", "who invites: the word only begins like the type"],
  ["relay-arguments", "CreateRoomPayload.messages", lastPage],
  ["relay-arguments", "JoinRoomPayload.messages", lastPage],
  ["relay-arguments", "RoomOpened.messages", lastPage],
  ["relay-arguments", "RoomUpdate.timeline", lastPage],
  ["relay-connection-types", "TimelineConnection.pageInfo", "has all of PageInfo, and where the timeline begins"],
  ["relay-edge-types", "AccountDataEdge", value],
  ["relay-edge-types", "AccountEdge", value],
  ["relay-edge-types", "ConsumerEdge", value],
  ["relay-edge-types", "DeviceEdge", value],
  ["relay-edge-types", "EventLevelEdge", value],
  ["relay-edge-types", "IncomingWebhookEdge", value],
  ["relay-edge-types", "OutgoingWebhookEdge", value],
  ["relay-edge-types", "ParkedEventEdge", value],
  ["relay-edge-types", "ReactionEdge", value],
  ["relay-edge-types", "ReceiptEdge", value],
  ["relay-edge-types", "RoomClosedEdge", value],
  ["relay-edge-types", "RoomOverviewEdge", value],
  ["relay-edge-types", "RoomServerEdge", value],
  ["relay-edge-types", "StoredFilterEdge", value],
  ["relay-edge-types", "UserLevelEdge", value],
  ["relay-edge-types", "RoomMemberEdge", "a member is of a room: fetched again with `Room.member`, not with `node`"],
];

const linter = new Linter({ cwd: "/" });
const messages = linter.verify(
  text,
  {
    files: ["**/*.graphql"],
    plugins: { "@graphql-eslint": plugin },
    languageOptions: { parser: plugin.parser, parserOptions: { graphQLConfig: { schema: path } } },
    rules,
  },
  path,
);
const lines = text.split("\n");

/** The type, and the field if there is one, at a line. */
function place(line) {
  const field = /^\t(\w+)/.exec(lines[line - 1])?.[1];
  const above = lines.slice(0, line).reverse();
  const type = above.map((text) => /^(?:type|input|interface|enum|union|scalar) (\w+)/.exec(text)?.[1]).find(Boolean);
  return field ? `${type}.${field}` : type;
}

const open = new Set(EXCEPTIONS);
let failed = false;
for (const { ruleId, line, message } of messages) {
  const [rule, where] = [ruleId?.replace("@graphql-eslint/", "") ?? "parser", place(line)];
  const exception = EXCEPTIONS.find(([of, at]) => of === rule && at === where);
  if (exception) {
    open.delete(exception);
    continue;
  }
  failed = true;
  console.error(`schema.graphql:${line}: ${where}: ${rule}: ${message}`);
}
for (const [rule, where] of open) {
  failed = true;
  console.error(`${where}: ${rule} finds nothing there any more: remove the exception`);
}
if (failed) process.exit(1);
console.log(`${Object.keys(rules).length} rules of graphql-eslint, ${EXCEPTIONS.length} exceptions with reasons`);
