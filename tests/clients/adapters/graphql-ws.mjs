// graphql-ws: a WebSocket with graphql-transport-ws.

import { createClient } from "graphql-ws";
import WebSocket from "ws";
import { run } from "./http.mjs";

/** A socket that does not reconnect by itself. */
export function socket({ url, token }) {
  return createClient({
    url: `${url.replace("http", "ws")}/graphql`,
    webSocketImpl: WebSocket,
    connectionParams: { Authorization: `Bearer ${token}` },
    retryAttempts: 0,
  });
}

/** The server closed the socket because the token is not valid, or no longer. */
export const isFinal = (reason) => reason?.code === 4403;

export const graphqlWs = {
  form: "websocket",
  isFinal,
  open(place) {
    const client = socket(place);
    return {
      run: (document, variables) => run(place, document, variables),
      subscribe: (query, variables, observer) =>
        client.subscribe({ query, variables }, { ...observer, next: ({ data }) => observer.next(data) }),
      close: () => client.dispose(),
    };
  },
};
