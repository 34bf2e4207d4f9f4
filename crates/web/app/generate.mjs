// Generates generated.ts: the documents of the chat and their types, from documents.graphql and the schema.

import { readFileSync, writeFileSync } from "node:fs";
import { generate } from "../../../clients/typescript/generate.mjs";

const place = (name) => new URL(name, import.meta.url);

writeFileSync(place("generated.ts"), await generate(readFileSync(place("documents.graphql"), "utf8")));
