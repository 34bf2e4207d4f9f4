// Numbered actions: each happens once, and all happen in the order of their start.

import { pause, type Wait } from "./backoff.js";
import { either, type Document } from "./document.js";
import { RequestFailed, isPassing, retryAfterMs } from "./errors.js";

/** The refusal of a rule. The codes are those of `RefusalCode` in the schema. */
export interface Refusal {
  code: string;
  message: string;
  /** Seconds to wait before a retry; for `RATE_LIMITED`. */
  retryAfter?: number | null;
}

/** The common fields of mutation payloads; a document selects the ones it needs. */
export interface Payload {
  event?: { eventId: string } | null;
  refusal?: Refusal | null;
  /** Other servers have not answered yet: the stream tells the end. */
  isPending?: boolean;
}

/** A started action. */
export interface Action<P extends Payload> {
  /** Its number, which is known at once; the event on the stream has it too. */
  actionId: number;
  /** The first answer: an event or a refusal. Rejects if an error makes a retry pointless. */
  answer: Promise<P>;
}

/** Sends one request, once. */
export type Request = (
  document: Document<unknown, never>,
  variables: object,
  signal: AbortSignal,
) => Promise<Record<string, Payload>>;

/** Failures of the server after which the client gives up an action with an unknown outcome. */
const FAILURES_MAX = 5;

/** Refusals that decide nothing: a retry may use the same number. */
const UNDECIDED: ReadonlySet<string> = new Set(["BUSY", "CONTENDED", "RATE_LIMITED"]);

/**
 * Counts the actions of one device. Use one counter for a device at a time.
 *
 * The client sends an action when the previous one has its answer, so the server never refuses one with
 * `ACTION_TOO_LATE`. If it sent them together, a cut could lose the first and let the second pass, and the server waits
 * only half a second.
 */
export class Actions {
  #before: Promise<unknown> = Promise.resolve();

  /** `last` is `viewer.device.lastActionId`. */
  constructor(
    private last: number,
    private readonly request: Request,
    private readonly wait: Wait,
    private readonly signal: AbortSignal,
  ) {}

  /** Starts the one mutation of `document`, whose variable is `$input`. Its number is added to `input`. */
  start<P extends Payload>(document: Document<unknown, never>, input: object, signal?: AbortSignal): Action<P> {
    return this.resend(this.last + 1, document, input, signal);
  }

  /** Starts an action with its number from an earlier run of the program: the server executes it unless it did so before. */
  resend<P extends Payload>(
    actionId: number,
    document: Document<unknown, never>,
    input: object,
    signal?: AbortSignal,
  ): Action<P> {
    this.last = Math.max(this.last, actionId);
    const variables = { input: { ...input, actionId } };
    const answer = this.#before.then(() => this.#perform<P>(document, variables, either(this.signal, signal)));
    this.#before = answer.catch(() => {});
    return { actionId, answer };
  }

  /** Performs a mutation that has a name in place of a number. It waits for no other action. */
  named<P extends Payload>(document: Document<unknown, never>, input: object, signal?: AbortSignal): Promise<P> {
    return this.#perform<P>(document, { input }, either(this.signal, signal));
  }

  async #perform<P extends Payload>(
    document: Document<unknown, never>,
    variables: object,
    signal: AbortSignal,
  ): Promise<P> {
    for (let attempt = 1; ; attempt++) {
      signal.throwIfAborted();
      let waitMs = 0;
      try {
        const [payload] = Object.values(await this.request(document, variables, signal));
        if (!payload) throw new TypeError("the document has no mutation");
        if (!UNDECIDED.has(payload.refusal?.code ?? "")) return payload as P;
        waitMs = (payload.refusal?.retryAfter ?? 0) * 1000;
      } catch (error) {
        const isUnknown = error instanceof RequestFailed && error.isOutcomeUnknown && attempt < FAILURES_MAX;
        if (!isPassing(error) && !isUnknown) throw error;
        waitMs = retryAfterMs(error);
      }
      await pause(this.wait, attempt, signal, waitMs);
    }
  }
}
