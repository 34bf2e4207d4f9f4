// graphql-request: requests over HTTP. It has no subscriptions: those go with graphql-ws.

import { GraphQLClient } from "graphql-request";
import { graphqlWs } from "./graphql-ws.mjs";

export const graphqlRequest = {
  ...graphqlWs,
  open(place) {
    const headers = place.token ? { authorization: `Bearer ${place.token}` } : {};
    const client = new GraphQLClient(`${place.url}/graphql`, { headers });
    return { ...graphqlWs.open(place), run: (document, variables) => client.request(document, variables) };
  },
};
