// The pages that the server serves, in a real browser: they render, and the console stays free of errors.
// ROOKERY_URL is the server's address, CHROMIUM the browser's program; `cargo xtask test browser` sets both.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { gunzipSync } from "node:zlib";
import { chromium } from "playwright-core";

const server = process.env.ROOKERY_URL;
const quiet = ["--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];

let browser;

before(async () => {
  browser = await chromium.launch({
    executablePath: process.env.CHROMIUM,
    // Root may not use Chromium's sandbox; it loads only our own pages here.
    args: process.getuid() === 0 ? ["--no-sandbox", ...quiet] : quiet,
  });
});

after(() => browser?.close());

/** Opens `path`; returns the page and its faults: errors, and requests to other hosts. */
async function open(context, path) {
  const faults = [];
  const page = await browser.newPage();
  context.after(() => page.close());
  page.on("pageerror", (error) => faults.push(`uncaught: ${error.message}`));
  page.on("console", (message) => {
    if (message.type() === "error") faults.push(`console: ${message.text()}`);
  });
  page.on("request", (request) => {
    const url = new URL(request.url());
    if (["http:", "https:"].includes(url.protocol) && url.origin !== server) faults.push(`foreign request: ${url}`);
  });
  page.on("response", (response) => {
    if (response.status() >= 400) faults.push(`${response.status()} for ${response.url()}`);
  });
  const response = await page.goto(server + path);
  assert.equal(response.status(), 200, `GET ${path}`);
  return { page, faults };
}

test("the_page_about_the_server_says_what_this_is_and_leads_to_graphiql", async (context) => {
  const { page, faults } = await open(context, "/about");
  assert.match(await page.title(), /Rookery/);
  await page.getByRole("heading", { level: 1 }).waitFor();
  await page.locator('a[href="/graphiql"]').first().click();
  await page.waitForURL("**/graphiql");
  for (const part of ["#act", "#watch"]) await page.locator(`${part} .graphiql-container`).waitFor();
  assert.deepEqual(faults, []);
});

test("every_command_of_the_page_about_the_server_is_filled_in", async (context) => {
  const { page, faults } = await open(context, "/about");
  await page.locator("[data-example] pre").first().waitFor();
  const commands = await page.locator("[data-example] pre").allTextContents();
  assert.deepEqual(commands.map((command) => /mutation (\w+)/.exec(command)?.[1]), ["Register", "LogIn", "CreateRoom", "Say"]);
  for (const command of commands) assert.ok(command.startsWith(`curl ${server}/graphql`), command);
  assert.deepEqual(faults, []);
});

/** Runs the example of that name in the part of GraphiQL that acts. */
async function run(page, tab) {
  await page.locator("#act").getByRole("tab", { name: tab }).click();
  await page.locator("#act .graphiql-query-editor .view-lines", { hasText: tab }).waitFor();
  await page.locator("#act .graphiql-execute-button").click();
}

const shown = (page, text, part = "#act") => page.locator(`${part} .result-window`, { hasText: text }).waitFor();

/** The part that watches follows the stream. */
const watched = (page) => page.locator('#watch .graphiql-execute-button[aria-label^="Stop"]').waitFor();

/** Queries the server without the page. */
async function ask(query, variables, token) {
  const headers = { "Content-Type": "application/json", ...(token && { Authorization: `Bearer ${token}` }) };
  const response = await fetch(`${server}/graphql`, { method: "POST", headers, body: JSON.stringify({ query, variables }) });
  const { data, errors } = await response.json();
  assert.equal(errors, undefined);
  return data;
}

test("graphiql_acts_as_whoever_registered_on_the_page", async (context) => {
  const { page, faults } = await open(context, "/graphiql");
  await run(page, "Register");
  await shown(page, "@ada:");
  await run(page, "CreateRoom");
  await shown(page, "roomId");
  await run(page, "Home");
  await shown(page, "The Tower");
  await watched(page);
  assert.deepEqual(faults, []);
});

test("a_message_that_is_sent_above_arrives_below_in_the_same_window", async (context) => {
  const account = { input: { username: "joan", password: "correct horse battery staple" } };
  const { register } = await ask("mutation($input: RegisterInput!) { register(input: $input) { token } }", account);
  const { createRoom } = await ask('mutation { createRoom(input: { name: "Lab" }) { room { roomId } } }', {}, register.token);
  const say = `mutation Greet { sendMessage(input: { roomId: "${createRoom.room.roomId}", body: "Mr Watson, come here" }) { event { sequence } } }`;
  const { page, faults } = await open(context, `/graphiql?query=${encodeURIComponent(say)}`);
  await page.locator("#watch .graphiql-execute-button").waitFor();
  await page.getByLabel("Access token").fill(register.token);
  await watched(page);
  await shown(page, "position", "#watch");
  await run(page, "Greet");
  await shown(page, "sequence");
  await shown(page, "Mr Watson, come here", "#watch");
  // With another user's token it follows that user.
  const other = { input: { ...account.input, username: "emma" } };
  const { token } = (await ask("mutation($input: RegisterInput!) { register(input: $input) { token } }", other)).register;
  await page.getByLabel("Access token").fill(token);
  await page.locator("#watch .result-window", { hasNotText: "Mr Watson" }).waitFor();
  await watched(page);
  await ask('mutation { createRoom(input: { name: "Attic" }) { room { roomId } } }', {}, token);
  await shown(page, "Attic", "#watch");
  assert.deepEqual(faults, []);
});

test("graphiql_shows_what_the_stream_tells_to_the_owner_of_a_token", async (context) => {
  const account = { input: { username: "grace", password: "correct horse battery staple" } };
  const { register } = await ask("mutation($input: RegisterInput!) { register(input: $input) { token } }", account);
  const token = register.token;
  const { createRoom } = await ask('mutation { createRoom(input: { name: "Deck" }) { room { roomId } } }', {}, token);
  const { viewer } = await ask("{ viewer { position } }", {}, token);
  // From a position on, so that the stream misses nothing if the socket opens late.
  const follow = `subscription Follow { eventStream(after: "${viewer.position}") { events { ... on RoomEvent { text } } } }`;
  const { page, faults } = await open(context, `/graphiql?query=${encodeURIComponent(follow)}`);
  await page.getByLabel("Access token").fill(token);
  await run(page, "Home");
  await shown(page, "Deck");
  await run(page, "Follow");
  const say = "mutation($input: SendMessageInput!) { sendMessage(input: $input) { refusal { code } } }";
  const input = { roomId: createRoom.room.roomId, body: "A moth in relay 70" };
  assert.equal((await ask(say, { input }, token)).sendMessage.refusal, null);
  await shown(page, "A moth in relay 70");
  assert.deepEqual(faults, []);
});

test("bundled_files_have_the_checksums_of_their_page", () => {
  const folder = new URL("../../crates/web/pages/vendor/", import.meta.url);
  const listed = [...readFileSync(new URL("README.md", folder), "utf8").matchAll(/^\| `(\S+\.gz)` \| `(\w+)` \|$/gm)];
  assert.deepEqual(listed.map(([, name]) => name).sort(), readdirSync(folder).filter((name) => name.endsWith(".gz")).sort());
  for (const [, name, sum] of listed) {
    const bytes = gunzipSync(readFileSync(new URL(name, folder)));
    assert.equal(createHash("sha256").update(bytes).digest("hex"), sum, name);
  }
});

test("graphiql_runs_a_query", async (context) => {
  const { page, faults } = await open(context, "/graphiql?query=%7B__typename%7D");
  await page.locator("#act .graphiql-execute-button").click();
  await shown(page, "Query");
  assert.deepEqual(faults, []);
});
