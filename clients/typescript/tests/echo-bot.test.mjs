// Compiles and runs examples/echo-bot against the server at ROOKERY_URL, and kills it in between.

import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { CREATE_ROOM, SEND_MESSAGE } from "../../../tests/clients/operations.mjs";
import { act, ask, register } from "../../../tests/clients/person.mjs";

const server = process.env.ROOKERY_URL;
const folder = fileURLToPath(new URL("..", import.meta.url));
const modules = join(folder, "node_modules");
const MESSAGES = `query($room: RoomID!) { room(by: { roomId: $room }) { memberCount timeline(last: 100) {
  nodes { ... on MessageEvent { text sender { userId } } } } } }`;

/** The example as a program, with its packages beside it. */
function built(context) {
  const place = mkdtempSync(join(tmpdir(), "echo-bot-"));
  context.after(() => rmSync(place, { recursive: true }));
  const source = fileURLToPath(new URL("../../../examples/echo-bot/bot.ts", import.meta.url));
  assert.ok(readFileSync(source, "utf8").split("\n").length <= 31, "the example has at most 30 lines");
  cpSync(source, join(place, "bot.ts"));
  mkdirSync(join(place, "node_modules"));
  symlinkSync(folder, join(place, "node_modules/rookery-client"));
  writeFileSync(join(place, "package.json"), JSON.stringify({ private: true, type: "module" }));
  // Older versions of Node.js have no WebSocket.
  const ws = JSON.stringify(join(modules, "ws/wrapper.mjs"));
  writeFileSync(join(place, "ws.mjs"), `import WebSocket from ${ws}; globalThis.WebSocket ??= WebSocket;`);
  const flags = ["--strict", "--target", "ES2022", "--module", "NodeNext", "--lib", "ES2023,DOM", "--types", ""];
  execFileSync(join(modules, ".bin/tsc"), [...flags, "bot.ts"], { cwd: place, stdio: "inherit" });
  return place;
}

test("the_echo_bot_answers_every_message_once_although_it_is_killed", async (context) => {
  const place = built(context);
  const bot = await register("echo-bot");
  const ada = await register("echo-ada");
  const { room } = await act(ada.token, CREATE_ROOM, { name: "Echo", invite: [bot.userId] });
  const roomId = room.roomId;
  let program;
  const start = () => {
    const program = spawn(process.execPath, ["--import", "./ws.mjs", "bot.js", server, bot.token], { cwd: place, stdio: "inherit" });
    context.after(() => program.kill("SIGKILL"));
    return program;
  };
  const until = async (holds) => {
    for (let tries = 0; tries < 600; tries++) {
      const found = holds((await ask(ada.token, MESSAGES, { room: roomId })).room);
      if (found) return found;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    throw new Error("the bot does not answer");
  };
  const echoes = ({ timeline }) => timeline.nodes.filter(({ sender }) => sender?.userId === bot.userId).map(({ text }) => text);

  program = start();
  await until(({ memberCount }) => memberCount === 2);
  const said = [];
  const say = async () => {
    said.push(`You said: message ${said.length}`);
    await act(ada.token, SEND_MESSAGE, { roomId, body: `message ${said.length - 1}` });
  };
  for (let kills = 0; kills < 6; kills++) {
    // It is killed while it echoes: it has echoed something of these, but not all.
    for (let line = 0; line < 4; line++) await say();
    await until((found) => echoes(found).length > said.length - 4);
    const ended = once(program, "exit");
    program.kill("SIGKILL");
    await ended;
    program = start();
  }
  // An echo that comes twice would come before that of the last message.
  await say();
  assert.deepEqual(await until((found) => echoes(found).includes(said.at(-1)) && echoes(found)), said);
});
