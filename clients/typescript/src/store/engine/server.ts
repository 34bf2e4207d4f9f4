// The server, as the engine asks it.

import { Actions, type Action, type Payload } from "../../actions.js";
import type { Wait } from "../../backoff.js";
import { either } from "../../document.js";
import { request, type Endpoint } from "../../http.js";
import { again } from "../../retry.js";
import type { DocumentTypeDecoration } from "@graphql-typed-document-node/core";

/** A generated document. */
export type Typed<Data, Variables> = string | (DocumentTypeDecoration<Data, Variables> & object);

/** Queries and actions of a device. */
export class Server {
  readonly #actions: Actions;
  readonly #answers = new Map<number, unknown>();

  constructor(
    private readonly endpoint: Endpoint,
    private readonly wait: Wait,
    readonly signal: AbortSignal,
  ) {
    this.#actions = new Actions(
      0,
      async (document, variables, signal) => {
        const data = await request<Record<string, object>>(endpoint, String(document), variables, signal);
        this.#answers.set((variables as { input: { actionId: number } }).input.actionId, data);
        return data;
      },
      wait,
      signal,
    );
  }

  /** Runs a query, or a mutation without a number; retries until an answer comes. */
  ask<Data, Variables extends object>(
    document: Typed<Data, Variables>,
    variables: Variables,
    { signal, wait = this.wait }: { signal?: AbortSignal | undefined; wait?: Wait } = {},
  ): Promise<Data> {
    const given = either(this.signal, signal);
    return again(() => request<Data>(this.endpoint, String(document), variables, given), wait, given);
  }

  /** Starts an action. Resolves with its payload, and with the data around it. */
  act(actionId: number, document: string, input: object): { answer: Promise<{ payload: Payload; data: unknown }> } {
    const action: Action<Payload> = this.#actions.resend(actionId, document, input);
    const answer = action.answer.then((payload) => {
      const data = this.#answers.get(actionId);
      this.#answers.delete(actionId);
      return { payload, data };
    });
    return { answer };
  }
}
