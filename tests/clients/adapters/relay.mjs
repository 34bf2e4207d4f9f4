// Relay: documents compiled against schema.graphql, the store, and a paginated timeline (the connection that
// `usePaginationFragment` shows).

import { execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import relay from "relay-runtime";
import * as operations from "../operations.mjs";
import { isFinal, socket } from "./graphql-ws.mjs";
import { post } from "../person.mjs";

const { commitMutation, createOperationDescriptor, fetchQuery, requestSubscription } = relay;
const { Environment, getSelector, Network, Observable, RecordSource, Store } = relay;
const path = (relative) => fileURLToPath(new URL(relative, import.meta.url));

/** The declaration of a component with `usePaginationFragment`. */
const TIMELINE = {
  "Scroll.js": /* GraphQL */ `
    query ScrollQuery($room: RoomID!, $before: Cursor) {
      room(by: { roomId: $room }) { id ...Scroll_room @arguments(before: $before) }
    }
  `,
  "Scroll_room.js": /* GraphQL */ `
    fragment Scroll_room on Room
    @argumentDefinitions(before: { type: "Cursor" }, count: { type: "Int", defaultValue: 2 })
    @refetchable(queryName: "ScrollPaginationQuery") {
      timeline(last: $count, before: $before) @connection(key: "Scroll_timeline") {
        edges { node { eventId sequence } }
      }
    }
  `,
};

/** The end of the name of an operation in a module of the same name. */
const SUFFIX = { query: "Query", mutation: "Mutation", subscription: "Subscription" };
const headOf = (document) => /(query|mutation|subscription) (\w+)/.exec(document);

/** Compiles all documents in `folder`; returns a function that gets the artifact of a name. */
function compile(folder) {
  const sources = { ...TIMELINE };
  for (const document of Object.values(operations)) {
    const [head, kind, name] = headOf(document);
    sources[`${name}.js`] = document.replace(head, head + SUFFIX[kind]);
  }
  for (const name of ["src", "made"]) mkdirSync(join(folder, name));
  for (const [name, document] of Object.entries(sources)) writeFileSync(join(folder, "src", name), `graphql\`${document}\`;\n`);
  copyFileSync(path("../../../schema.graphql"), join(folder, "schema.graphql"));
  const config = {
    src: "./src",
    schema: "./schema.graphql",
    language: "javascript",
    artifactDirectory: "./made",
    eagerEsModules: false,
  };
  writeFileSync(join(folder, "relay.config.json"), JSON.stringify(config));
  const compiler = path("../../node_modules/relay-compiler/cli.js");
  execFileSync(process.execPath, [compiler, "relay.config.json"], { cwd: folder, stdio: ["ignore", "ignore", "inherit"] });
  const require = createRequire(join(folder, "made/index.js"));
  return (name) => require(`./${name}.graphql.js`);
}

/** An environment whose requests go over HTTP, and whose subscriptions over a WebSocket. */
function environmentOf(place, client) {
  const request = ({ text }, variables) => post(place.token, text, variables, place.url);
  const subscribe = ({ text, name }, variables) =>
    Observable.create((sink) => client.subscribe({ operationName: name, query: text, variables }, sink));
  return new Environment({ network: Network.create(request, subscribe), store: new Store(new RecordSource()) });
}

/** The timeline before a cursor, page by page into the store; returns the resulting connection in the store. */
async function scroll(environment, artifact, roomId, cursor) {
  const query = createOperationDescriptor(artifact("ScrollQuery"), { room: roomId, before: cursor });
  // Like a mounted component: the store keeps the shown data.
  environment.retain(query);
  await fetchQuery(environment, query.request.node, query.request.variables).toPromise();
  const { room } = environment.lookup(query.fragment).data;
  const fragment = artifact("Scroll_room");
  for (;;) {
    const { edges, pageInfo } = environment.lookup(getSelector(fragment, room)).data.timeline;
    if (!pageInfo.hasPreviousPage) return edges.map(({ node }) => node);
    const variables = { id: room.id, count: 2, before: pageInfo.startCursor };
    await fetchQuery(environment, artifact("ScrollPaginationQuery"), variables).toPromise();
  }
}

/** The client with its compiled documents. */
function relayWith(artifact) {
  return {
    form: "websocket",
    isFinal,
    open(place) {
      const client = socket(place);
      const environment = environmentOf(place, client);
      return {
        run(document, variables = {}) {
          const [, kind, name] = headOf(document);
          const node = artifact(name + SUFFIX[kind]);
          if (kind === "query") return fetchQuery(environment, node, variables, { fetchPolicy: "network-only" }).toPromise();
          return new Promise((onCompleted, onError) => commitMutation(environment, { mutation: node, variables, onCompleted, onError }));
        },
        subscribe(document, variables, { next, error, complete }) {
          const subscription = artifact(`${headOf(document)[2]}Subscription`);
          const config = { subscription, variables, onNext: next, onError: error, onCompleted: complete };
          return requestSubscription(environment, config).dispose;
        },
        scroll: (roomId, cursor) => scroll(environment, artifact, roomId, cursor),
        close: () => client.dispose(),
      };
    },
  };
}

const folder = mkdtempSync(join(tmpdir(), "rookery-relay-"));
process.on("exit", () => rmSync(folder, { recursive: true }));

export const relayClient = relayWith(compile(folder));
