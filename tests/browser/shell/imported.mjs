// A server with a channel that was imported from a log of IRC.

import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { act, freshServer, register } from "./visits.mjs";

/** The log of a channel in which everybody joins, and then forty of them talk. */
function log(members, messages) {
  const at = (second) => new Date(Date.UTC(2024, 0, 1) + second * 1000).toISOString().slice(0, 19).replace("T", " ");
  const nick = (number) => `sailor${String(number).padStart(4, "0")}`;
  const joins = Array.from({ length: members }, (_, number) => `${at(number)}\t-->\t${nick(number)} (~s@ship) has joined #deck`);
  const words = "the wind turned at noon and we took in the sails before the squall came over the bow".split(" ");
  const texts = Array.from({ length: messages }, (_, number) => {
    const text = Array.from({ length: 3 + ((number * 7) % 60) }, (_, word) => words[(number + word * 5) % words.length]).join(" ");
    return `${at(members + number * 20)}\t${nick((number * 13) % 40)}\tmessage ${number}: ${text}`;
  });
  return [...joins, ...texts, ""].join("\n");
}

/** Starts a server with the channel, which a new user has joined. Beside them and the sailors there is the import itself. */
export async function importedChannel(context, { sailors, messages }) {
  const importInto = (data) => {
    const file = join(data, "irc.test.#deck.weechatlog");
    writeFileSync(file, log(sailors, messages));
    const options = ["--format", "weechat", "--channel", "deck", "--network", "test"];
    execFileSync(process.env.ROOKERY, ["import", "irc", "--data", data, ...options, file], { stdio: "pipe" });
  };
  const at = await freshServer(context, [], {}, importInto);
  const ada = await register(at, "ada");
  const { room } = await act(at, ada.token, "joinRoom", { room: { alias: "#deck:localhost" } }, "room { roomId } refusal { code }");
  return { at, ada, roomId: room.roomId };
}
