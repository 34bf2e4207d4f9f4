// The conversation, held by each client.

import { apolloOverWebSocket } from "./adapters/apollo.mjs";
import { pythonGql } from "./adapters/python-gql.mjs";
import { graphqlWs } from "./adapters/graphql-ws.mjs";
import { relayClient } from "./adapters/relay.mjs";
import { urqlOverWebSocket } from "./adapters/urql.mjs";
import { converse } from "./conversation.mjs";

converse("graphql-ws", graphqlWs);
converse("Apollo Client over WebSocket", apolloOverWebSocket);
converse("urql over WebSocket", urqlOverWebSocket);
converse("Relay", relayClient);
converse("gql for Python", pythonGql);
