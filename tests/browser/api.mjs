// Users and rooms of a server, over its API and without a page. `at` is the address of the server.

import assert from "node:assert/strict";

export const PASSWORD = "correct horse battery staple";

/** Runs an operation; fails on errors. */
export async function ask(token, query, variables = {}, at = process.env.ROOKERY_URL) {
  const headers = { "Content-Type": "application/json", ...(token && { Authorization: `Bearer ${token}` }) };
  const response = await fetch(`${at}/graphql`, { method: "POST", headers, body: JSON.stringify({ query, variables }) });
  const { data, errors } = await response.json();
  assert.equal(errors, undefined, JSON.stringify(errors));
  return data;
}

/** Runs a mutation that takes `input`, and returns its payload; fails on refusals. */
export async function act(at, token, name, input, fields = "refusal { code }") {
  const type = `${name[0].toUpperCase()}${name.slice(1)}Input`;
  const document = `mutation($input: ${type}!) { ${name}(input: $input) { ${fields} } }`;
  const payload = (await ask(token, document, { input }, at))[name];
  assert.equal(payload.refusal ?? null, null, `${name}: ${JSON.stringify(payload.refusal)}`);
  return payload;
}

const LOGIN = "token deviceId user { userId } refusal { code }";
const sessionOf = ({ token, deviceId, user }) => ({ token, deviceId, userId: user.userId });

/** A new user. */
export const register = async (at, username) => sessionOf(await act(at, null, "register", { username, password: PASSWORD }, LOGIN));

/** Another device of a user. */
export const logIn = async (at, username) => sessionOf(await act(at, null, "logIn", { username, password: PASSWORD }, LOGIN));

/** A public room of the first user, which the others have joined. */
export async function roomOf(at, [owner, ...others], input = {}) {
  const created = await act(at, owner.token, "createRoom", { preset: "PUBLIC", ...input }, "room { roomId } refusal { code }");
  const { roomId } = created.room;
  for (const { token } of others) await act(at, token, "joinRoom", { room: { roomId } });
  return roomId;
}
