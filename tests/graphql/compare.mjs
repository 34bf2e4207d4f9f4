// Whether two answers are the same to a client.

import assert from "node:assert/strict";

/** Refusals by limits of the server, which the reference implementation does not have. */
const LIMITS = new Set([
  "TOO_MANY_FIELDS", "TOO_MANY_ROOT_FIELDS", "TOO_MANY_DIRECTIVES", "TOO_MANY_FRAGMENTS", "QUERY_TOO_DEEP", "QUERY_TOO_LARGE",
  "QUERY_TOO_COMPLEX", "FRAGMENT_CYCLE", "ANSWER_TOO_LARGE",
]);

export const limited = (answer) => (answer.errors ?? []).some((error) => LIMITS.has(error.extensions?.code));

/**
 * Whether we refuse `__typename` beside a field of another type under one name. The reference implementation does not know the
 * type of `__typename` there, and lets it pass.
 */
export const typeNameConflicts = (query, { errors }) => (errors ?? []).length > 0 && errors.every(({ message }) => {
  const [, name] = /different types using the same name `(\w+)`/.exec(message) ?? [];
  return name && new RegExp(`\\b${name}: __typename`).test(query);
});

/** Whether a value of the data is null at a place above `path`: then what failed below it need not be told. */
function isBelowNull(data, path) {
  let at = data;
  for (const step of path) {
    if (at === null || at === undefined) return true;
    at = at[step];
  }
  return false;
}

/**
 * The same data, and errors of the same fields. Of several fields that fail below a value which is null for that, one has to be
 * told, and the others may be.
 */
export function sameResult(ours, reference) {
  const plain = (value) => JSON.parse(JSON.stringify(value));
  assert.deepEqual(plain(ours.data), plain(reference.data), "data");
  const paths = (result) => new Set((result.errors ?? []).map((error) => JSON.stringify(error.path ?? [])));
  const [told, expected] = [paths(ours), paths(reference)];
  const needed = (path) => !isBelowNull(reference.data, JSON.parse(path));
  for (const path of expected) assert.ok(told.has(path) || !needed(path), `the error at ${path} is missing`);
  for (const path of told) assert.ok(expected.has(path) || !needed(path), `an error at ${path} that should not be`);
  assert.equal(told.size > 0, expected.size > 0, "whether there are errors");
}
