// Queries and mutations over HTTP: they need no lasting connection.

import { Disconnected, RequestFailed, UnexpectedAnswer, type GraphQLFailure } from "./errors.js";
import { graphqlUrl } from "./url.js";

/** The address and the login of requests. */
export interface Endpoint {
  /** Address of the server, as `https://chat.example.org`; with or without `/graphql` and a slash at its end. */
  url: string;
  token?: string | undefined;
  /** How long to wait for an answer, in milliseconds; 30 seconds by default. */
  answerWait?: number | undefined;
}

const ANSWER_WAIT_MS = 30_000;

/**
 * Sends one request, once; returns its data.
 *
 * @throws {Disconnected} No answer came: the server may have done it, or not.
 * @throws {UnexpectedAnswer} Another program than a Rookery server answers at this address.
 * @throws {RequestFailed} The answer has errors.
 */
export async function request<Data>(
  endpoint: Endpoint,
  query: string,
  variables: object,
  signal: AbortSignal,
): Promise<Data> {
  const headers: Record<string, string> = {
    "content-type": "application/json",
    accept: "application/graphql-response+json",
  };
  if (endpoint.token !== undefined) headers["authorization"] = `Bearer ${endpoint.token}`;
  const deadline = AbortSignal.timeout(endpoint.answerWait ?? ANSWER_WAIT_MS);
  const url = graphqlUrl(endpoint.url);
  let response: Response;
  let body: string;
  try {
    response = await fetch(url, {
      method: "POST",
      headers,
      body: JSON.stringify({ query, variables }),
      signal: AbortSignal.any([signal, deadline]),
    });
    body = await response.text();
  } catch (cause) {
    signal.throwIfAborted();
    throw new Disconnected("no answer came", { cause });
  }
  const answer = parse<Data>(body);
  if (answer?.errors) throw new RequestFailed(answer.errors);
  if (answer?.data) return answer.data;
  // A proxy answers so while it cannot reach the server.
  const { status } = response;
  if (status >= 500 || status === 408 || status === 429) {
    throw new Disconnected(`${url} answers with the status ${status}`, { retryAfter: seconds(response.headers) });
  }
  throw new UnexpectedAnswer(url, status);
}

/** The body as a GraphQL answer, if it is one. */
function parse<Data>(body: string): { data?: Data | null; errors?: GraphQLFailure[] } | undefined {
  try {
    const answer = JSON.parse(body);
    return typeof answer === "object" && answer !== null ? answer : undefined;
  } catch {
    return undefined;
  }
}

/** The seconds in `Retry-After`, unless it is a date. */
function seconds(headers: Headers): number | undefined {
  const value = Number(headers.get("retry-after") ?? Number.NaN);
  return Number.isFinite(value) ? value : undefined;
}
