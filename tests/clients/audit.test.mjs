// The audit of graphql-http: the demands of the GraphQL-over-HTTP specification on a server, check by check.

import assert from "node:assert/strict";
import { test } from "node:test";
import { serverAudits } from "graphql-http";

test("all_61_checks_of_the_graphql_http_audit_pass", async (context) => {
  const audits = serverAudits({ url: `${process.env.ROOKERY_URL}/graphql` });
  // A new version of the package with other checks needs a review.
  const counts = {};
  for (const { name } of audits) counts[name.split(" ")[0]] = (counts[name.split(" ")[0]] ?? 0) + 1;
  assert.deepEqual(counts, { MUST: 13, SHOULD: 23, MAY: 25 });
  for (const audit of audits) {
    await context.test(`${audit.id} ${audit.name}`, async () => {
      const { status, reason } = await audit.fn();
      assert.equal(status, "ok", reason);
    });
  }
});
