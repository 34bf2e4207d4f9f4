// Queries and mutations, over HTTP: they need no connection that stays.

import { Disconnected, RequestFailed, type GraphQLFailure } from "./errors.js";

/** Where to ask, and as whom. */
export interface Endpoint {
  /** Address of the server, as `https://chat.example.org`. */
  url: string;
  token?: string | undefined;
  /** How long to wait for an answer, in milliseconds; 30 seconds if you do not say. */
  answerWait?: number | undefined;
}

const ANSWER_WAIT_MS = 30_000;

/**
 * Sends one request, once; answers its data.
 *
 * @throws {Disconnected} No answer came: the server may have done it, or not.
 * @throws {RequestFailed} The answer has errors.
 */
export async function request<Data>(
  endpoint: Endpoint,
  document: string,
  variables: object,
  signal: AbortSignal,
): Promise<Data> {
  const headers: Record<string, string> = {
    "content-type": "application/json",
    accept: "application/graphql-response+json",
  };
  if (endpoint.token !== undefined) headers["authorization"] = `Bearer ${endpoint.token}`;
  const deadline = AbortSignal.timeout(endpoint.answerWait ?? ANSWER_WAIT_MS);
  let answer: { data?: Data | null; errors?: GraphQLFailure[] };
  try {
    const response = await fetch(`${endpoint.url}/graphql`, {
      method: "POST",
      headers,
      body: JSON.stringify({ query: document, variables }),
      signal: AbortSignal.any([signal, deadline]),
    });
    answer = await response.json();
  } catch (cause) {
    signal.throwIfAborted();
    throw new Disconnected("no answer came", { cause });
  }
  if (answer.errors) throw new RequestFailed(answer.errors);
  if (!answer.data) throw new Disconnected("the answer has neither data nor errors");
  return answer.data;
}
