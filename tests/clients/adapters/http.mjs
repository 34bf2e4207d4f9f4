// Requests of clients that only subscribe.

import { post } from "../person.mjs";

/** Runs a query or a mutation at `url`; returns its data. */
export async function run({ url, token }, document, variables) {
  const { data, errors } = await post(token, document, variables, url);
  if (errors) throw new AggregateError(errors, errors[0].message);
  return data;
}
