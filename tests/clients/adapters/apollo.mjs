// Apollo Client: requests over HTTP; subscriptions over a WebSocket, or as the parts of one HTTP answer.

import { ApolloClient, ApolloLink, gql, HttpLink, InMemoryCache } from "@apollo/client";
import { GraphQLWsLink } from "@apollo/client/link/subscriptions";
import { OperationTypeNode } from "graphql";
import { socket } from "./graphql-ws.mjs";

/** The reason that stops a subscription. The link keeps only the text of a socket's close event. */
function isFinal(reason) {
  const code = reason?.errors?.[0]?.extensions?.code;
  return reason?.message?.startsWith("Socket closed with event 4403") || code === "UNAUTHENTICATED";
}

/** The client with the link for subscriptions; `end` closes the open connection. */
function adapter(form, subscriptions) {
  return {
    form,
    isFinal,
    open(place) {
      const headers = place.token ? { authorization: `Bearer ${place.token}` } : {};
      const http = new HttpLink({ uri: `${place.url}/graphql`, headers });
      const { link, end } = subscriptions(place, http);
      const isSubscription = ({ operationType }) => operationType === OperationTypeNode.SUBSCRIPTION;
      const client = new ApolloClient({ link: ApolloLink.split(isSubscription, link, http), cache: new InMemoryCache() });
      return {
        async run(document, variables) {
          const query = gql(document);
          const isMutation = query.definitions[0].operation === OperationTypeNode.MUTATION;
          const result = isMutation
            ? client.mutate({ mutation: query, variables })
            : client.query({ query, variables, fetchPolicy: "network-only" });
          return (await result).data;
        },
        subscribe(document, variables, observer) {
          const query = gql(document);
          const next = ({ data, error }) => (error ? observer.error(error) : observer.next(data));
          const subscription = client.subscribe({ query, variables, fetchPolicy: "no-cache" }).subscribe({ ...observer, next });
          return () => subscription.unsubscribe();
        },
        close() {
          client.stop();
          end();
        },
      };
    },
  };
}

export const apolloOverWebSocket = adapter("websocket", (place) => {
  const client = socket(place);
  return { link: new GraphQLWsLink(client), end: () => client.dispose() };
});

export const apolloOverMultipart = adapter("multipart/mixed", (place, http) => ({ link: http, end: () => {} }));
