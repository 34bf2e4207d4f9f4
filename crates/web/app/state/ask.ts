// Requests outside of a session: register, log in, and what anyone may read.

/** A request that failed. `code` is that of the error or of the refusal; `OFFLINE` without an answer. */
export class AskFailed extends Error {
  constructor(
    readonly code: string,
    message: string,
  ) {
    super(message);
  }
}

/** Runs an operation, with a token or without one. */
export async function ask<Data>(document: string, variables: object = {}, token?: string): Promise<Data> {
  const headers = { "content-type": "application/json", ...(token && { authorization: `Bearer ${token}` }) };
  const body = JSON.stringify({ query: document, variables });
  const answer = await fetch("/graphql", { method: "POST", headers, body }).catch(() => {
    throw new AskFailed("OFFLINE", "the server does not answer");
  });
  const { data, errors } = await answer.json().catch(() => ({ errors: [] }));
  const [error] = errors ?? [];
  if (error || !data) throw new AskFailed(error?.extensions?.code ?? String(answer.status), error?.message ?? answer.statusText);
  return data as Data;
}
