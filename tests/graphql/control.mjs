// What the reference implementation answers for the schema of `crates/graphql-edge/examples/differential.rs`: the types come from
// that server, the values are computed here.

import { execute, GraphQLError, parse, subscribe, validate } from "graphql";

const fail = () => { throw new GraphQLError("it fails"); };
const item = (id) => ({ __typename: "Item", number: id });
const other = (id) => ({ __typename: "Other", number: id });
const count = (given) => Math.max(0, Math.min(4, given));

const small = (id) => Math.max(-1000, Math.min(1000, id));

function thing(given) {
  const id = small(given);
  switch (((id % 3) + 3) % 3) {
    case 0: return item(id);
    case 1: return other(id);
    default: return { __typename: "Leafy", size: id, text: null };
  }
}

const told = (input) => input && [
  input.a, input.b, input.c ?? null, told(input.inner) ?? null, input.ids ?? null,
];

const RESOLVERS = {
  Query: {
    item: (_, { id }) => (id >= 0 && id <= 1000 ? item(id) : null),
    node: (_, { id }) => (id < 0 || id > 1000 ? null : id % 2 === 0 ? item(id) : other(id)),
    thing: (_, { id }) => thing(id),
    things: (_, args) => Array.from({ length: count(args.count) }, (_, index) => thing(index)),
    maybeThings: () => [thing(0), null, thing(1), thing(2)],
    needThings: () => [thing(4), thing(3)],
    fails: fail,
    selfOrNull: () => ({ __typename: "Query" }),
    echo: (_, { input, list, color, ids, flag, text, share, pick }) => JSON.stringify([
      told(input) ?? null, list ?? null, color, ids ?? null, flag, text ?? null, share == null ? null : String(share),
      pick ? { ...pick } : null,
    ]),
  },
  Item: {
    id: ({ number }) => number,
    label: ({ number }) => (number % 2 === 0 ? `item ${number}` : null),
    must: ({ number }) => (number % 3 === 0 ? fail() : `must ${number}`),
    fails: fail,
    failsHard: fail,
    items: ({ number }, args) => Array.from({ length: count(args.count) }, (_, index) => item(number + index)),
    failingItems: () => [item(1), new GraphQLError("it fails"), item(2)],
    other: ({ number }) => (number === 1 ? null : thing(number + 1)),
    color: () => "GREEN",
    colors: () => ["RED", null, "BLUE"],
    parent: ({ number }) => (number === 5 ? fail() : number > 1 ? item(number - 1) : null),
  },
  Other: {
    id: ({ number }) => number,
    label: fail,
    must: ({ number }) => `other ${number}`,
    count: ({ number }) => number,
    weight: ({ number }) => number + 0.5,
    node: ({ number }) => item(number),
    friends: ({ number }) => [item(number), null, other(number + 1)],
  },
  Mutation: {
    make: (_, { id }) => item(small(id)),
    change: (_, { input }) => thing(input.a),
  },
};

async function* ticks(args) {
  for (let index = 0; index < count(args.count); index++) yield { ticks: thing(index) };
}

async function* maybe() {
  for (const value of [thing(3), null, thing(4)]) yield { maybe: value };
}

function fieldResolver(source, args, context, info) {
  const resolve = RESOLVERS[info.parentType.name]?.[info.fieldName];
  return resolve ? resolve(source, args) : source?.[info.fieldName];
}

const subscribeFieldResolver = (_, args, context, info) => (info.fieldName === "ticks" ? ticks(args) : maybe());

/** `{ invalid }` with the reasons, `{ unjudged }` where it cannot tell, or `{ results }`: one for a query or a mutation, all of a subscription. */
export async function control(schema, query, variableValues, operationName) {
  let document;
  try {
    document = parse(query);
  } catch (error) {
    return { invalid: [error.message] };
  }
  let invalid;
  try {
    invalid = validate(schema, document);
  } catch {
    // Its rule for subscriptions cannot tell what a variable in a condition at the root would be.
    return { unjudged: true };
  }
  if (invalid.length > 0) return { invalid: invalid.map((error) => error.message) };
  const asked = { schema, document, variableValues, operationName, fieldResolver, subscribeFieldResolver };
  const operation = document.definitions.find((definition) => definition.name?.value === operationName);
  if (operation?.operation !== "subscription") return verdict([await execute(asked)]);
  const stream = await subscribe(asked);
  if (!stream[Symbol.asyncIterator]) return verdict([stream]);
  const results = [];
  for await (const result of stream) results.push(result);
  return { results };
}

function verdict(results) {
  if (!("data" in results[0])) return { invalid: results[0].errors.map((error) => error.message) };
  return { results: results.map((result) => JSON.parse(JSON.stringify(result))) };
}
