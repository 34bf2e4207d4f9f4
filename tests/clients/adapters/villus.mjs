// villus, for Vue: requests over HTTP; subscriptions over the WebSocket of graphql-ws.

import { createClient, defaultPlugins, handleSubscriptions } from "villus";
import { isFinal, socket } from "./graphql-ws.mjs";

export const villus = {
  form: "websocket",
  isFinal,
  open(place) {
    const client = socket(place);
    const forward = ({ query, variables }) => ({
      subscribe: (observer) => ({ unsubscribe: client.subscribe({ query, variables }, observer) }),
    });
    const authorize = ({ opContext }) => {
      if (place.token) opContext.headers.Authorization = `Bearer ${place.token}`;
    };
    const villus = createClient({
      url: `${place.url}/graphql`,
      use: [authorize, handleSubscriptions(forward), ...defaultPlugins()],
    });
    return {
      async run(document, variables) {
        const isMutation = document.startsWith("mutation");
        const result = isMutation
          ? villus.executeMutation({ query: document, variables })
          : villus.executeQuery({ query: document, variables, cachePolicy: "network-only" });
        const { data, error } = await result;
        if (error) throw error;
        return data;
      },
      subscribe(query, variables, observer) {
        const next = ({ data }) => observer.next(data);
        const started = villus.executeSubscription({ query, variables }).then((results) => results.subscribe({ ...observer, next }));
        return async () => (await started).unsubscribe();
      },
      close: () => client.dispose(),
    };
  },
};
