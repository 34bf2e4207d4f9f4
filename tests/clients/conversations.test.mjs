// The conversation, held by each client.

import { apolloOverMultipart, apolloOverWebSocket } from "./adapters/apollo.mjs";
import { pythonGql } from "./adapters/python-gql.mjs";
import { graphqlSse, graphqlSseOverOneStream } from "./adapters/graphql-sse.mjs";
import { graphqlWs } from "./adapters/graphql-ws.mjs";
import { relayClient } from "./adapters/relay.mjs";
import { urqlOverEvents, urqlOverWebSocket } from "./adapters/urql.mjs";
import { converse } from "./conversation.mjs";

converse("graphql-ws", graphqlWs);
converse("graphql-sse", graphqlSse);
converse("graphql-sse over one stream", graphqlSseOverOneStream);
converse("Apollo Client over WebSocket", apolloOverWebSocket);
converse("Apollo Client over multipart", apolloOverMultipart);
converse("urql over WebSocket", urqlOverWebSocket);
converse("urql over Server-Sent Events", urqlOverEvents);
converse("Relay", relayClient);
converse("gql for Python", pythonGql);
