// genql: a client generated from schema.graphql, whose requests are objects; subscriptions over the WebSocket of graphql-ws.

import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parse, valueFromASTUntyped } from "graphql";
import ts from "typescript";
import { isFinal, socket } from "./graphql-ws.mjs";

const path = (relative) => fileURLToPath(new URL(relative, import.meta.url));

/** Generates the client into `folder` and loads it. */
function generated(folder) {
  const genql = path("../../node_modules/.bin/genql");
  execFileSync(genql, ["--schema", path("../../../schema.graphql"), "--output", folder], { stdio: "ignore" });
  for (const name of readdirSync(folder, { recursive: true }).filter((name) => name.endsWith(".ts"))) {
    const text = readFileSync(join(folder, name), "utf8");
    const { outputText } = ts.transpileModule(text, { compilerOptions: { module: "CommonJS", target: "ES2022" } });
    writeFileSync(join(folder, name.replace(/ts$/, "js")), outputText);
  }
  return createRequire(join(folder, "index.js"))("./index.js");
}

/** A document as an object of genql: `{ field: { __args: {}, inner: true, on_Type: {} } }`. */
function requestOf(document, variables) {
  const [{ operation, selectionSet }] = parse(document).definitions;
  const convert = ({ selections }) =>
    Object.fromEntries(
      selections.map(({ kind, name, typeCondition, arguments: given = [], selectionSet: inner }) => {
        if (kind === "InlineFragment") return [`on_${typeCondition.name.value}`, convert(inner)];
        const args = given.map((argument) => [argument.name.value, valueFromASTUntyped(argument.value, variables)]);
        if (!inner) return [name.value, true];
        return [name.value, { ...(args.length > 0 && { __args: Object.fromEntries(args) }), ...convert(inner) }];
      }),
    );
  return { operation, fields: convert(selectionSet) };
}

function adapterOf({ createClient, generateSubscriptionOp }) {
  return {
    form: "websocket",
    isFinal,
    open(place) {
      const client = socket(place);
      const headers = place.token ? { Authorization: `Bearer ${place.token}` } : {};
      const genql = createClient({ url: `${place.url}/graphql`, headers });
      return {
        run(document, variables = {}) {
          const { operation, fields } = requestOf(document, variables);
          return genql[operation](fields);
        },
        subscribe(document, variables, observer) {
          const { query, variables: values } = generateSubscriptionOp(requestOf(document, variables).fields);
          return client.subscribe({ query, variables: values }, { ...observer, next: ({ data }) => observer.next(data) });
        },
        close: () => client.dispose(),
      };
    },
  };
}

const folder = mkdtempSync(join(tmpdir(), "rookery-genql-"));
process.on("exit", () => rmSync(folder, { recursive: true }));

export const genql = adapterOf(generated(folder));
