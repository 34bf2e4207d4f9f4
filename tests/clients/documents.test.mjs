// The schema and the documents of the pages, checked by the reference implementation of GraphQL.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { buildSchema, isUnionType, parse, validate } from "graphql";
import * as operations from "./operations.mjs";

const read = (path) => readFileSync(new URL(`../../${path}`, import.meta.url), "utf8");
const schema = buildSchema(read("schema.graphql"));

/** The documents of the guide, of the client library and of the tests. */
const DOCUMENTS = [
  ...[...read("docs/graphql.md").matchAll(/^```graphql\n(.*?)^```$/gms)].map(([, document]) => document),
  read("clients/typescript/src/documents.graphql"),
  read("clients/typescript/src/store/documents.graphql"),
  ...Object.values(operations),
];

test("every_document_is_valid_to_the_reference_implementation", () => {
  assert.ok(DOCUMENTS.length > 40, `only ${DOCUMENTS.length} documents were found`);
  const errors = DOCUMENTS.flatMap((document) => validate(schema, parse(document)).map(String));
  assert.deepEqual(errors, []);
});

test("fields_of_the_types_of_a_union_that_bear_one_name_can_be_selected_together", () => {
  const conflicts = [];
  for (const union of Object.values(schema.getTypeMap()).filter(isUnionType)) {
    const types = new Map();
    for (const member of union.getTypes()) {
      for (const [name, { type }] of Object.entries(member.getFields())) {
        const known = types.get(name) ?? types.set(name, { type, member }).get(name);
        if (`${known.type}` !== `${type}`) {
          conflicts.push(`${union}: ${known.member}.${name}: ${known.type}, ${member}.${name}: ${type}`);
        }
      }
    }
  }
  assert.deepEqual(conflicts, []);
});

/** The lines of a text, without indentation and without empty lines. */
const lines = (text) => text.split("\n").map((line) => line.trim()).filter((line) => line);

test("code_of_the_page_of_clients_is_code_that_the_tests_run", () => {
  const blocks = [...read("docs/clients.md").matchAll(/^From \[.*?\]\(\.\.\/(.*?)\):\n\n```\w+\n(.*?)^```$/gms)];
  assert.ok(blocks.length >= 7, `only ${blocks.length} blocks were found`);
  for (const [, path, block] of blocks) {
    const source = lines(read(path)).join("\n");
    for (const part of block.split(/^(?:\/\/|#) \.\.\.$/m)) {
      assert.ok(source.includes(lines(part).join("\n")), `${path} has no longer:\n${part}`);
    }
  }
});

test("versions_of_the_page_of_clients_are_those_that_are_installed", () => {
  const { dependencies } = JSON.parse(read("tests/package.json"));
  const page = read("docs/clients.md");
  const python = (name, file) => new RegExp(`^${name}==(\\S+)`, "m").exec(read(`tests/clients/${file}.txt`))[1];
  const rust = (name) => new RegExp(`^name = "${name}"\nversion = "(\\S+)"`, "m").exec(read("tests/clients/rust/Cargo.lock"))[1];
  const named = {
    "graphql-ws": dependencies["graphql-ws"],
    "graphql-sse": dependencies["graphql-sse"],
    "Apollo Client": dependencies["@apollo/client"],
    "Apollo Client 3": dependencies["apollo-client-3"].split("@").at(-1),
    "graphql-request": dependencies["graphql-request"],
    "subscriptions-transport-ws": dependencies["subscriptions-transport-ws"],
    graphqurl: dependencies.graphqurl,
    "graphql-ws-client (Rust)": rust("graphql-ws-client"),
    "graphql_client (Rust)": rust("graphql_client"),
    genql: dependencies["@genql/cli"],
    "gql.tada": dependencies["gql.tada"],
    "villus (Vue)": dependencies.villus,
    "urql (`@urql/core`)": dependencies["@urql/core"],
    "Relay (`relay-runtime`, `relay-compiler`)": dependencies["relay-runtime"],
    "gql for Python": python("gql", "requirements"),
    "gql for Python, older": python("gql", "requirements-core-3.2"),
    "ariadne-codegen (Python)": python("ariadne-codegen", "requirements-core-3.2"),
    "sgqlc (`WebSocketEndpoint`)": python("sgqlc", "requirements-core-3.2"),
    "graphql-code-generator (client preset)": `${dependencies["@graphql-codegen/cli"]} (${dependencies["@graphql-codegen/client-preset"]})`,
  };
  for (const [client, version] of Object.entries(named)) assert.ok(page.includes(`| ${client} | ${version} |`), client);
});
