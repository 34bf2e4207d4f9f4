// A durable consumer: batches that come again until they are acknowledged, over as many connections as it takes.
//
// The server remembers how far the consumer has come, so nothing is stored here. A batch comes again after a cut, and if
// it was not acknowledged for a while. Repeats of what this program has acknowledged, or has not taken yet, are left out.

import type { Position } from "./chunk.js";
import { either, textOf, type CallOptions, type Document } from "./document.js";
import { ConsumeDocument, type ConsumeSubscription, type ConsumeSubscriptionVariables } from "./generated.js";
import { resubscribe, type StreamContext } from "./stream.js";

/** Options of a consumer. */
export interface ConsumeOptions<C = ConsumeSubscription["consume"]> extends CallOptions {
  /** `FilterBy` of the schema: `{ conditions: { ... } }` or `{ filterId }`. */
  filter?: ConsumeSubscriptionVariables["filter"];
  /** A batch ends after this many events; 100 by default. */
  max?: number | undefined;
  /** Where a new consumer begins: `{ beginning: true }`, `{ position }` or `{ time }`; by default with what comes. */
  from?: ConsumeSubscriptionVariables["from"];
  /** Your own subscription to `consume(name: $name, filter: $filter, max: $max, from: $from)`; it selects `position` and `batch`. */
  document?: Document<{ consume: C }, ConsumeSubscriptionVariables> | undefined;
}

/** The fields of a chunk that the client needs. */
export interface BatchFields {
  position: Position;
  /** Null for a chunk that only says that the consumer has caught up. */
  batch: string | null;
}

/** A chunk, and its acknowledgement. */
export type Batch<C> = C & {
  /**
   * Acknowledges the batch and all before it: they do not come again. It retries until an answer comes.
   *
   * @throws {Refused} Such as `POSITION_NOT_DELIVERED`, after a reset.
   */
  acknowledge(): Promise<void>;
};

/**
 * Yields the batches of the consumer `name`. It ends when the signal is aborted, or when the consumer leaves the loop.
 *
 * @throws {RequestFailed} `CONSUMER_TAKEN_OVER`: another program consumes under this name.
 * @throws {StreamEnded} The server closed the stream for good.
 */
export async function* consume<C extends BatchFields>(
  given: StreamContext,
  name: string,
  { filter, max, from, document, signal }: ConsumeOptions<C>,
  acknowledge: (position: Position, batch: string) => Promise<void>,
): AsyncGenerator<Batch<C>, void, undefined> {
  const context = { ...given, signal: either(given.signal, signal) };
  const query = textOf(document ?? ConsumeDocument);
  const acknowledged: string[] = [];
  const variables = { name, filter, max, from };
  for await (const { data } of resubscribe<{ consume: C }>(context, query, () => variables)) {
    const { batch, position } = data.consume;
    if (batch !== null && acknowledged.includes(batch)) continue;
    const settle = async () => {
      if (batch === null) return;
      await acknowledge(position, batch);
      acknowledged.push(batch);
      acknowledged.splice(0, acknowledged.length - REMEMBERED);
    };
    yield { ...data.consume, acknowledge: settle };
  }
}

/** How many acknowledged batches may be on their way once more: two are outstanding at a time. */
const REMEMBERED = 8;
