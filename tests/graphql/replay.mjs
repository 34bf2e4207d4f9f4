// Whether an answer is one that the reference implementation could have given: it executes the document with resolvers that
// give what the answer holds, and fail where the answer has an error. What comes out has to be the answer.

import assert from "node:assert/strict";
import { execute, GraphQLError, parse } from "graphql";
import { TOLD_TYPE } from "./documents.mjs";

/** `path` as a list, from the linked form of the reference implementation. */
function listed(path) {
  const steps = [];
  for (let at = path; at; at = at.prev) steps.unshift(at.key);
  return steps;
}

export async function replay(schema, query, variableValues, operationName, answer) {
  const failed = new Set((answer.errors ?? []).map((error) => JSON.stringify(error.path ?? [])));
  const lacking = [];
  const fieldResolver = (source, args, context, info) => {
    const path = listed(info.path);
    if (failed.has(JSON.stringify(path))) throw new GraphQLError("it failed");
    const key = info.path.key;
    if (!Object.hasOwn(source, key)) lacking.push(path.join("."));
    return source[key];
  };
  // Serialised values are taken as they are.
  const typeResolver = (value) => value[TOLD_TYPE];
  const result = await execute({
    schema, document: parse(query), variableValues, operationName, rootValue: answer.data ?? {}, fieldResolver, typeResolver,
  });
  assert.ok("data" in result, `the reference implementation does not execute it: ${result.errors?.[0]}`);
  if (answer.data !== null) assert.deepEqual(lacking, [], "keys are missing");
  assert.deepEqual(JSON.parse(JSON.stringify(result.data)), answer.data);
}
