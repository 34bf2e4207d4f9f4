// Servers under test, as the tests ask them.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { buildClientSchema, getIntrospectionQuery } from "graphql";

/** Asks for one document; answers what a client gets: the results, or why there is none. */
export async function ask(url, { query, variables, operationName }, headers = {}) {
  const response = await fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json", accept: "application/json", ...headers },
    body: JSON.stringify({ query, variables, operationName }),
  });
  return response.json();
}

/** All results of a subscription, over Server-Sent Events. */
export async function follow(url, { query, variables, operationName }) {
  const response = await fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json", accept: "text/event-stream" },
    body: JSON.stringify({ query, variables, operationName }),
  });
  const text = await response.text();
  if (!response.headers.get("content-type").startsWith("text/event-stream")) return [JSON.parse(text)];
  const events = text.split("\n\n").map((event) => Object.fromEntries(event.split("\n").map((line) => {
    const colon = line.indexOf(":");
    return [line.slice(0, colon), line.slice(colon + 1).trim()];
  })));
  return events.filter((event) => event.event === "next").map((event) => JSON.parse(event.data));
}

/** The types of a server. */
export async function schemaOf(url) {
  const query = getIntrospectionQuery({ oneOf: true, inputValueDeprecation: true });
  const { data, errors } = await ask(url, { query });
  if (!data) throw new Error(`introspection: ${JSON.stringify(errors)}`);
  return buildClientSchema(data, { assumeValid: true });
}

/** The program of `crates/graphql-edge/examples/differential.rs`. */
export async function startControlled(program) {
  const child = spawn(program, { stdio: ["pipe", "pipe", "inherit"] });
  const lines = createInterface({ input: child.stdout });
  const [url] = await once(lines, "line");
  const stop = async () => {
    child.stdin.end();
    if (child.exitCode === null) await once(child, "exit");
  };
  return { url, stop };
}

/** Runs `work` for the numbers from 0 on, some at a time. */
export async function together(count, work, width = 16) {
  let next = 0;
  const runner = async () => {
    while (next < count) await work(next++);
  };
  await Promise.all(Array.from({ length: width }, runner));
}
