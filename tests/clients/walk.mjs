// Runs the operations of a page in docs/, in their order.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";

/** A file of the repository. */
export const read = (path) => readFileSync(new URL(`../../${path}`, import.meta.url), "utf8");

/**
 * Runs each operation of a page as a test of its own. `steps` has a function for each of them, in the order of the page;
 * the function gets an object that passes through all of them, the document, and the context of the whole test.
 */
export async function walk(context, page, steps, world = {}) {
  const documents = [...page.matchAll(/^```graphql\n(.*?)^```$/gms)].map(([, document]) => document);
  const names = documents.map((document) => /(?:query|mutation|subscription) (\w+)/.exec(document)[1]);
  assert.deepEqual(names, Object.keys(steps));
  for (const [index, name] of names.entries()) {
    await context.test(`operation_${name}`, () => steps[name](world, documents[index], context));
  }
}
