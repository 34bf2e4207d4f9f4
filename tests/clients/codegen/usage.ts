// Application code that uses the generated code. The tests compile it and do not run it.

import { graphql } from "./generated/gql.js";
import type { CreateRoomMutationVariables, StreamSubscription } from "./generated/graphql.js";
import type { TypedDocumentNode } from "@graphql-typed-document-node/core";

/** A generated document, by its source text. */
export const tower = graphql(`
  query Tower($room: RoomID!) {
    room(by: { roomId: $room }) { name memberCount timeline(last: 20) { nodes { eventId sequence text } } }
  }
`);

/** The variables and the answer of a request with it. */
declare function ask<Data, Variables>(document: TypedDocumentNode<Data, Variables>, variables: Variables): Promise<Data>;

export async function nameOfTheRoom(): Promise<string | null> {
  // @ts-expect-error: the variable is missing
  await ask(tower, {});
  const { room } = await ask(tower, { room: "!tower" });
  // @ts-expect-error: the document does not select it
  room?.topic;
  const sequences: number[] = room?.timeline.nodes.map((event) => event.sequence) ?? [];
  return sequences.length > 0 ? (room?.name ?? null) : null;
}

/** The type distinguishes the items of the stream. */
export function shown(item: StreamSubscription["eventStream"]["events"][number]): string | null {
  if (item.__typename === "MessageEvent") return item.text ?? item.type;
  return item.__typename === "RoomOpened" ? item.room.roomId : null;
}

export const tea: CreateRoomMutationVariables = { input: { name: "Tea", preset: "PUBLIC", actionId: 1 } };
