// graphql-sse: Server-Sent Events, with a request for each subscription or with one stream for all.

import { createClient } from "graphql-sse";
import { run } from "./http.mjs";

/** The client; with `singleConnection` one stream carries all subscriptions. */
function adapter(singleConnection) {
  return {
    form: "text/event-stream",
    isFinal: (reason) => reason?.response?.status === 401 || reason?.code === "UNAUTHENTICATED",
    open(place) {
      const client = createClient({
        url: `${place.url}/graphql`,
        headers: { authorization: `Bearer ${place.token}` },
        retryAttempts: 0,
        singleConnection,
      });
      return {
        run: (document, variables) => run(place, document, variables),
        subscribe(query, variables, observer) {
          const next = ({ data, errors }) => (data ? observer.next(data) : observer.error(errors[0].extensions));
          return client.subscribe({ query, variables }, { ...observer, next });
        },
        close: () => client.dispose(),
      };
    },
  };
}

export const graphqlSse = adapter(false);
export const graphqlSseOverOneStream = adapter(true);
