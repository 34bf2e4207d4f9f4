// Documents made at random, asked of the reference implementation and of a server on the same transport with the same schema:
// the same verdict, the same data, errors of the same fields. DIFFERENTIAL_COUNT says how many, DIFFERENTIAL_SEED the first.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { limited, sameResult, typeNameConflicts } from "./compare.mjs";
import { control } from "./control.mjs";
import { DocumentMaker } from "./documents.mjs";
import { broken } from "./mutations.mjs";
import { Random } from "./random.mjs";
import { ask, follow, schemaOf, startControlled, together } from "./server.mjs";

const COUNT = Number(process.env.DIFFERENTIAL_COUNT ?? 3_000);
const SEED = Number(process.env.DIFFERENTIAL_SEED ?? 1);

/** Known and wanted: why our answer differs from the reference's. */
const REASONS = [
  ({ query }, { answers }) => answers?.some((answer) => typeNameConflicts(query, answer)),
  // The specification forbids it since 2025; the reference implementation follows in version 17.
  ({ kind, query }) => kind === "subscription" && /^\s*subscription[^{]*\{\s*[^{}]*@(skip|include)/.test(query),
];

let server, schema;
before(async () => {
  server = await startControlled(process.env.DIFFERENTIAL_SERVER);
  schema = await schemaOf(server.url);
});
after(() => server?.stop());

function made(seed) {
  const random = new Random(seed);
  const kind = random.chance(84) ? "query" : random.of(["mutation", "subscription"]);
  const { document, variables } = new DocumentMaker(schema, random).make(kind);
  const query = random.chance(60) ? document : broken(document, random);
  return { kind, query, variables, operationName: "Main" };
}

async function disagreement(asked) {
  const expected = await control(schema, asked.query, asked.variables, asked.operationName);
  if (expected.unjudged) return { verdict: "unjudged" };
  const answers = asked.kind === "subscription" && !expected.invalid ? await follow(server.url, asked) : [await ask(server.url, asked)];
  if (answers.some(limited)) return { verdict: "limited" };
  const isExecuted = answers.length !== 1 || "data" in answers[0];
  const verdict = expected.invalid ? "invalid" : "executed";
  if (isExecuted !== !expected.invalid) return { verdict, why: "verdict", expected, answers };
  if (expected.invalid) return { verdict };
  try {
    assert.equal(answers.length, expected.results.length, "how many results");
    answers.forEach((answer, index) => sameResult(answer, expected.results[index]));
  } catch (error) {
    return { verdict, why: error.message, expected, answers };
  }
  return { verdict };
}

test(`${COUNT} documents are judged and answered as by the reference implementation`, async () => {
  const seen = { limited: 0, unjudged: 0, invalid: 0, executed: 0 };
  const found = [];
  await together(COUNT, async (index) => {
    const asked = made(SEED + index);
    const outcome = await disagreement(asked);
    seen[outcome.verdict]++;
    if (outcome.why && !REASONS.some((reason) => reason(asked, outcome))) found.push({ seed: SEED + index, ...asked, ...outcome });
  });
  console.log(`${JSON.stringify(seen)}, ${found.length} disagreements`);
  found.sort((one, other) => one.query.length - other.query.length);
  for (const one of found.slice(0, 12)) console.log(JSON.stringify(one, null, 1));
  assert.equal(found.length, 0);
  assert.ok(seen.invalid > COUNT / 10 && seen.executed > COUNT / 3, "documents of both kinds");
  assert.ok(seen.limited + seen.unjudged < COUNT / 20, "few meet a limit");
});
