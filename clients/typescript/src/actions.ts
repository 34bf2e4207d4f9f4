// Numbered actions: each happens once, and all in the order in which they were started.

import { pause, type Wait } from "./backoff.js";
import { RequestFailed, isPassing, retryAfterMs } from "./errors.js";

/** Why a rule forbids something. The codes are those of `RefusalCode` in the schema. */
export interface Refusal {
  code: string;
  message: string;
  /** After how many seconds to try again; for `RATE_LIMITED`. */
  retryAfter?: number | null;
}

/** What every payload of a mutation may have; a document selects what it wants to know. */
export interface Payload {
  event?: { eventId: string } | null;
  refusal?: Refusal | null;
}

/** An action that was started. */
export interface Action<P extends Payload> {
  /** Its number, which is known at once: the event on the stream bears it. */
  actionId: number;
  /** The first answer, be it what was made or a refusal. Rejects if an error makes trying again pointless. */
  answer: Promise<P>;
}

/** Sends one request, once. */
export type Request = (document: string, variables: object) => Promise<Record<string, Payload>>;

/** Failures of the server after which an action is given up whose outcome it does not know. */
const FAILURES_MAX = 5;

/** Refusals that decide nothing: the same number may be tried again. */
const UNDECIDED: ReadonlySet<string> = new Set(["BUSY", "CONTENDED", "RATE_LIMITED"]);

/**
 * Counts the actions of one device. There can be one counter for a device at a time.
 *
 * An action is sent when the one before it has its answer. So none is ever refused with `ACTION_TOO_LATE`: were they
 * sent together, a cut could take the first and let the second pass, and the server waits half a second only.
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
  start<P extends Payload>(document: string, input: object): Action<P> {
    return this.resend(this.last + 1, document, input);
  }

  /** Starts an action under the number that it had before this program was started: it is done now if it was not then. */
  resend<P extends Payload>(actionId: number, document: string, input: object): Action<P> {
    this.last = Math.max(this.last, actionId);
    const answer = this.#before.then(() => this.#perform<P>(document, { input: { ...input, actionId } }));
    this.#before = answer.catch(() => {});
    return { actionId, answer };
  }

  async #perform<P extends Payload>(document: string, variables: object): Promise<P> {
    for (let attempt = 1; ; attempt++) {
      this.signal.throwIfAborted();
      let waitMs = 0;
      try {
        const [payload] = Object.values(await this.request(document, variables));
        if (!payload) throw new TypeError("the document has no mutation");
        if (!UNDECIDED.has(payload.refusal?.code ?? "")) return payload as P;
        waitMs = (payload.refusal?.retryAfter ?? 0) * 1000;
      } catch (error) {
        const isUnknown = error instanceof RequestFailed && error.isOutcomeUnknown && attempt < FAILURES_MAX;
        if (!isPassing(error) && !isUnknown) throw error;
        waitMs = retryAfterMs(error);
      }
      await pause(this.wait, attempt, this.signal, waitMs);
    }
  }
}
