// Apollo Client 3: requests over HTTP; subscriptions over a WebSocket, or as the parts of one HTTP answer.

import apollo from "apollo-client-3/core/core.cjs";
import subscriptions from "apollo-client-3/link/subscriptions/subscriptions.cjs";
import { getOperationAST } from "graphql";
import { socket } from "./graphql-ws.mjs";

const { ApolloClient, gql, HttpLink, InMemoryCache, split } = apollo;
const { GraphQLWsLink } = subscriptions;

const typeOf = (query) => getOperationAST(query).operation;

/** The reason that stops a subscription: a socket's close event as text, the status of a request, or an error of the server. */
function isFinal(reason) {
  const { protocolErrors = [], graphQLErrors = [], networkError = reason } = reason ?? {};
  const isUnauthenticated = ({ extensions }) => extensions?.code === "UNAUTHENTICATED";
  return (
    networkError?.message?.startsWith("Socket closed with event 4403") ||
    networkError?.statusCode === 401 ||
    [...protocolErrors, ...graphQLErrors].some(isUnauthenticated)
  );
}

/** Two pages of one room do not replace each other in the cache. */
const typePolicies = { Room: { merge: true } };

/** The client with the link for subscriptions; `end` closes the open connection. */
function adapter(form, linkOf) {
  return {
    form,
    isFinal,
    open(place) {
      const headers = place.token ? { authorization: `Bearer ${place.token}` } : {};
      const http = new HttpLink({ uri: `${place.url}/graphql`, headers });
      const { link, end } = linkOf(place, http);
      const isSubscription = ({ query }) => typeOf(query) === "subscription";
      const client = new ApolloClient({ link: split(isSubscription, link, http), cache: new InMemoryCache({ typePolicies }) });
      return {
        async run(document, variables) {
          const query = gql(document);
          const result = typeOf(query) === "mutation"
            ? client.mutate({ mutation: query, variables })
            : client.query({ query, variables, fetchPolicy: "network-only" });
          return (await result).data;
        },
        subscribe(document, variables, observer) {
          const results = client.subscribe({ query: gql(document), variables, fetchPolicy: "no-cache" });
          const subscription = results.subscribe({ ...observer, next: ({ data }) => observer.next(data) });
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

export const apollo3OverWebSocket = adapter("websocket", (place) => {
  const client = socket(place);
  return { link: new GraphQLWsLink(client), end: () => client.dispose() };
});

export const apollo3OverMultipart = adapter("multipart/mixed", (place, http) => ({ link: http, end: () => {} }));
