// The documents of the conversation, by their names in operations.graphql.

import { readFileSync } from "node:fs";

const text = readFileSync(new URL("operations.graphql", import.meta.url), "utf8");
const documents = text.split(/^(?=(?:query|mutation|subscription) )/m).slice(1);

/** The document of this name, with nothing else in it. */
function operation(name) {
  const found = documents.find((document) => document.split(/\W/, 2)[1] === name);
  if (!found) throw new Error(`operations.graphql has no operation ${name}`);
  return found;
}

export const REGISTER = operation("Register");
export const LOG_IN = operation("LogIn");
export const CREATE_ROOM = operation("CreateRoom");
export const JOIN_ROOM = operation("JoinRoom");
export const SEND_MESSAGE = operation("SendMessage");
export const LOG_OUT = operation("LogOut");
export const HOME = operation("Home");
export const OLDER = operation("Older");
export const STREAM = operation("Stream");
