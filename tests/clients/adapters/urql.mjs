// urql: requests over HTTP; subscriptions over a WebSocket, or as Server-Sent Events.

import { Client, fetchExchange, gql, subscriptionExchange } from "@urql/core";
import { onEnd, pipe, subscribe } from "wonka";
import { isFinal as isFinalOfSocket, socket } from "./graphql-ws.mjs";

/** The reason that stops a subscription: the close event of a socket, or an error of the server. */
function isFinal(reason) {
  const code = reason?.graphQLErrors?.[0]?.extensions?.code;
  return isFinalOfSocket(reason?.networkError) || code === "UNAUTHENTICATED";
}

/** The client with the exchanges for subscriptions; `end` closes the open connection. */
function adapter(form, subscriptions) {
  return {
    form,
    isFinal,
    open(place) {
      const { options, exchanges, end } = subscriptions(place);
      const headers = place.token ? { authorization: `Bearer ${place.token}` } : {};
      const client = new Client({
        url: `${place.url}/graphql`,
        fetchOptions: { headers },
        preferGetMethod: false,
        exchanges: [...exchanges, fetchExchange],
        ...options,
      });
      return {
        async run(document, variables = {}) {
          const isMutation = document.trimStart().startsWith("mutation");
          const result = await client[isMutation ? "mutation" : "query"](gql(document), variables).toPromise();
          if (result.error) throw result.error;
          return result.data;
        },
        subscribe(document, variables, observer) {
          const take = ({ data, error }) => (error ? observer.error(error) : observer.next(data));
          const results = client.subscription(gql(document), variables);
          return pipe(results, onEnd(observer.complete), subscribe(take)).unsubscribe;
        },
        close: end,
      };
    },
  };
}

export const urqlOverWebSocket = adapter("websocket", (place) => {
  const client = socket(place);
  const forwardSubscription = ({ query, variables }) => ({
    subscribe: (observer) => ({ unsubscribe: client.subscribe({ query, variables }, observer) }),
  });
  return { options: {}, exchanges: [subscriptionExchange({ forwardSubscription })], end: () => client.dispose() };
});

export const urqlOverEvents = adapter("text/event-stream", () => ({
  options: { fetchSubscriptions: true },
  exchanges: [],
  end: () => {},
}));
