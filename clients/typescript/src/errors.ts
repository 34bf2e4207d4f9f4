// The errors, by the reaction of the caller.

import type { Refusal } from "./actions.js";

/** No answer came, or none of a Rookery server: the outcome is not known. */
export class Disconnected extends Error {
  override name = "Disconnected";
  /** Seconds to wait before a retry, if a proxy stated them. */
  readonly retryAfter: number | undefined;

  constructor(message: string, { cause, retryAfter }: { cause?: unknown; retryAfter?: number | undefined } = {}) {
    super(message, { cause });
    this.retryAfter = retryAfter;
  }
}

/** Another program than a Rookery server answered: the URL is wrong. */
export class UnexpectedAnswer extends Error {
  override name = "UnexpectedAnswer";

  constructor(readonly url: string, readonly status: number) {
    super(`${url} does not answer as a Rookery server (status ${status}): check the URL`);
  }
}

/** HTTP works and the WebSocket does not: a program before the server, usually a proxy, refuses the upgrade. */
export class UpgradeRefused extends Error {
  override name = "UpgradeRefused";

  constructor(readonly url: string, tries: number) {
    super(
      `the server answers over HTTP, and ${url} was refused ${tries} times in a row. Let the proxy before the server pass WebSockets ` +
        "(HTTP/1.1 with the headers Upgrade and Connection); for a web page, name its origin in the server's allowed_origins",
    );
  }
}

/** One error of an answer. */
export interface GraphQLFailure {
  message: string;
  path?: (string | number)[];
  extensions?: { code?: string; retryAfter?: number; outcome?: string };
}

/** The server answered with errors. `code` is that of the first one; docs/graphql.md lists the next step for each. */
export class RequestFailed extends Error {
  override name = "RequestFailed";
  readonly code: string | undefined;

  constructor(readonly failures: readonly GraphQLFailure[]) {
    super(failures.map((failure) => failure.message).join("; "));
    this.code = failures[0]?.extensions?.code;
  }

  /** Seconds to wait before a retry, if the server stated them. */
  get retryAfter(): number | undefined {
    return this.failures[0]?.extensions?.retryAfter;
  }

  /** Whether the outcome of a mutation is unknown: with the same action ID, a repetition gets the first result. */
  get isOutcomeUnknown(): boolean {
    return this.failures.some(({ extensions }) => extensions?.outcome === "UNKNOWN");
  }
}

/** A rule forbids the action. Nothing was changed, and a repetition gets the same answer. */
export class Refused extends Error {
  override name = "Refused";
  readonly code: string;

  constructor({ code, message }: Refusal) {
    super(message);
    this.code = code;
  }
}

/** The stream has ended, and a retry would not help. 4403: the token is not valid, or no longer. Log in again. */
export class StreamEnded extends Error {
  override name = "StreamEnded";

  constructor(readonly code: number, reason: string) {
    super(`the server closed the stream: ${code} ${reason}`);
  }
}

/** Whether the same request may succeed later. With its action ID it happens once, for any number of requests. */
export function isPassing(error: unknown): boolean {
  if (error instanceof RequestFailed) return PASSING.has(error.code ?? "");
  return error instanceof Disconnected;
}

/** The pause that the server asks for, in milliseconds. */
export function retryAfterMs(error: unknown): number {
  const known = error instanceof RequestFailed || error instanceof Disconnected;
  return known ? (error.retryAfter ?? 0) * 1000 : 0;
}

const PASSING: ReadonlySet<string> = new Set(["UNAVAILABLE", "TIMEOUT", "STALE", "RATE_LIMITED"]);
