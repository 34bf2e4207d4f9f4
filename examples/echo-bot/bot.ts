// A bot that repeats what others say. It needs Node.js 22 or newer, and the client library:
//
//     npm install ../../clients/typescript graphql && node --experimental-strip-types bot.ts https://chat.example.org TOKEN
//
// It may be killed and started at any time: the server remembers how far it has come, and takes each answer once.

import { connect } from "rookery-client";

declare const process: { argv: string[] };
const [, , url = "", token = ""] = process.argv;
const client = await connect({ url, token });
const { viewer } = await client.query<{ viewer: { user: { userId: string } } }>("{ viewer { user { userId } } }");
const JOIN = "mutation($input: JoinRoomInput!) { joinRoom(input: $input) { event { eventId } refusal { code message } } }";

for await (const { events, acknowledge } of client.consume("echo", { from: { beginning: true } })) {
  for (const item of events) {
    if (item.__typename === "Invited") {
      await client.act(JOIN, { room: { roomId: item.room.roomId } }).answer;
    } else if (item.__typename === "MessageEvent" && item.sender.userId !== viewer.user.userId) {
      await client.sendOnce(item.eventId, item.room.roomId, `You said: ${item.text}`);
    }
  }
  await acknowledge();
}
