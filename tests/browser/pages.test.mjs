// The pages that the server serves, in a real browser: they render, and the console stays free of errors.
// ROOKERY_URL is the server's address, CHROMIUM the browser's program; `cargo xtask test browser` sets both.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { chromium } from "playwright-core";

const server = process.env.ROOKERY_URL;
const quiet = ["--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];

let browser;

before(async () => {
  browser = await chromium.launch({
    executablePath: process.env.CHROMIUM,
    // Root may not use Chromium's sandbox; all it loads here is our own.
    args: process.getuid() === 0 ? ["--no-sandbox", ...quiet] : quiet,
  });
});

after(() => browser?.close());

/** Opens `path`; answers the page and what went wrong on it: errors, and requests to other hosts. */
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

test("the_first_page_says_what_this_is_and_leads_to_graphiql", async (context) => {
  const { page, faults } = await open(context, "/");
  assert.match(await page.title(), /Rookery/);
  await page.getByRole("heading", { level: 1 }).waitFor();
  await page.locator('a[href="/graphiql"]').first().click();
  await page.waitForURL("**/graphiql");
  await page.locator(".graphiql-container").waitFor();
  assert.deepEqual(faults, []);
});

test("every_command_of_the_first_page_is_filled_in", async (context) => {
  const { page, faults } = await open(context, "/");
  await page.locator("[data-example] pre").first().waitFor();
  const commands = await page.locator("[data-example] pre").allTextContents();
  assert.deepEqual(commands.map((command) => /mutation (\w+)/.exec(command)?.[1]), ["Register", "LogIn", "CreateRoom", "Say"]);
  for (const command of commands) assert.ok(command.startsWith(`curl ${server}/graphql`), command);
  assert.deepEqual(faults, []);
});

test("graphiql_acts_as_whoever_registered_on_the_page", async (context) => {
  const { page, faults } = await open(context, "/graphiql");
  const start = async (tab) => {
    await page.getByRole("tab", { name: tab }).click();
    // GraphiQL takes notice of the tab's operation a little later, and keeps its name here when it has.
    await page.waitForFunction((name) => localStorage.getItem("graphiql:operationName") === name, tab);
    await page.locator(".graphiql-execute-button").click();
  };
  const answer = (text) => page.locator(".result-window", { hasText: text }).waitFor();
  await start("Register");
  await answer("@ada:");
  await start("CreateRoom");
  await answer("roomId");
  await start("Home");
  await answer("The Tower");
  await start("Stream");
  await page.locator('.graphiql-execute-button[aria-label^="Stop"]').waitFor();
  assert.deepEqual(faults, []);
});

test("graphiql_runs_a_query", async (context) => {
  const { page, faults } = await open(context, "/graphiql?query=%7B__typename%7D");
  await page.locator(".graphiql-container").waitFor();
  await page.locator(".graphiql-execute-button").click();
  await page.locator(".result-window", { hasText: "Query" }).waitFor();
  assert.deepEqual(faults, []);
});
