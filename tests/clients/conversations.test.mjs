// The conversation, held by each client.

import { apolloOverMultipart, apolloOverWebSocket } from "./adapters/apollo.mjs";
import { apollo3OverMultipart, apollo3OverWebSocket } from "./adapters/apollo-3.mjs";
import { genql } from "./adapters/genql.mjs";
import { graphqlRequest } from "./adapters/graphql-request.mjs";
import { graphqlSse, graphqlSseOverOneStream } from "./adapters/graphql-sse.mjs";
import { graphqlWs } from "./adapters/graphql-ws.mjs";
import { ariadneCodegen, pythonGql, pythonGqlOlder } from "./adapters/python.mjs";
import { relayClient } from "./adapters/relay.mjs";
import { rustClient } from "./adapters/rust.mjs";
import { urqlOverEvents, urqlOverWebSocket } from "./adapters/urql.mjs";
import { villus } from "./adapters/villus.mjs";
import { converse } from "./conversation.mjs";

converse("graphql-ws", graphqlWs);
converse("graphql-request", graphqlRequest);
converse("genql", genql);
converse("graphql-sse", graphqlSse);
converse("graphql-sse over one stream", graphqlSseOverOneStream);
converse("Apollo Client over WebSocket", apolloOverWebSocket);
converse("Apollo Client over multipart", apolloOverMultipart);
converse("Apollo Client 3 over WebSocket", apollo3OverWebSocket);
converse("Apollo Client 3 over multipart", apollo3OverMultipart);
converse("urql over WebSocket", urqlOverWebSocket);
converse("urql over Server-Sent Events", urqlOverEvents);
converse("villus", villus);
converse("Relay", relayClient);
converse("gql for Python", pythonGql);
converse("gql for Python 4.0", pythonGqlOlder);
converse("ariadne-codegen", ariadneCodegen);
converse("graphql-ws-client with graphql_client", rustClient);
