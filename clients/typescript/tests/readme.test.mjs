// Runs the program of the README.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import WebSocket from "ws";
import { connect, isRoomEvent, logIn } from "../dist/index.js";
import { CREATE_ROOM, HOME } from "../../../tests/clients/operations.mjs";
import { act, ask, PASSWORD, register } from "../../../tests/clients/person.mjs";

const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8");
const [, program] = /^```js\n(.*?)^```$/ms.exec(readme);

test("the_program_of_the_readme_shows_what_it_sends", async () => {
  const ada = await register("ada-of-the-readme");
  const { room } = await act(ada.token, CREATE_ROOM, { name: "The Tower" });
  const stored = { position: (await ask(ada.token, HOME)).initialSync.position };
  const shown = [];
  const show = (item) => {
    shown.push(item);
    if (item.text === "Nevermore") throw new Error("that was all");
  };
  const world = { WebSocket, connect, isRoomEvent, logIn, url: process.env.ROOKERY_URL, password: PASSWORD, roomId: room.roomId, stored, show };
  const body = program.replaceAll(/^import .*\n/gm, "").replace('"ada"', '"ada-of-the-readme"');
  const Program = (async () => {}).constructor;
  const run = new Program(...Object.keys(world), `"use strict"; ${body}`);
  await assert.rejects(run(...Object.values(world)), { message: "that was all" });
  assert.equal(shown.at(-1).actionId, 1);
});
