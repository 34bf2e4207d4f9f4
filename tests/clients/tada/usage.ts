// Application code with gql.tada, which reads the types out of the text of a document. The tests compile it and do not run it.

import { initGraphQLTada, type ResultOf, type VariablesOf } from "gql.tada";
import type { introspection } from "./generated/introspection.js";

const graphql = initGraphQLTada<{
  introspection: introspection;
  scalars: { DateTime: string; JSON: unknown; Long: number; URI: string };
}>();

const stream = graphql(`
  subscription Stream($after: Position) {
    eventStream(after: $after) {
      position
      events {
        __typename
        ... on MessageEvent { eventId sequence text sender { userId } }
        ... on RoomOpened { room { roomId } }
      }
    }
  }
`);

const send = graphql(`
  mutation Send($input: SendMessageInput!) {
    sendMessage(input: $input) { event { eventId } refusal { message } }
  }
`);

/** The type distinguishes the items of the stream. */
export function shown({ eventStream }: ResultOf<typeof stream>): (string | null)[] {
  return eventStream.events.flatMap((item) => {
    if (item.__typename === "MessageEvent") return [item.text];
    // @ts-expect-error: only messages have it
    item.text;
    return item.__typename === "RoomOpened" ? [item.room.roomId as string] : [];
  });
}

export const hello: VariablesOf<typeof send> = { input: { roomId: "!tower", body: "hello", actionId: 1 } };

// @ts-expect-error: the body is missing
export const nothing: VariablesOf<typeof send> = { input: { roomId: "!tower" } };
