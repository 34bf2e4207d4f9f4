// Requests that are sent again until an answer comes.

import { pause, type Wait } from "./backoff.js";
import { isPassing, retryAfterMs } from "./errors.js";

/** Retries until there is an answer that a retry would not change, or until the deadline. */
export async function again<T>(attempt: () => Promise<T>, wait: Wait, signal: AbortSignal, late?: AbortSignal): Promise<T> {
  const either = late ? AbortSignal.any([signal, late]) : signal;
  for (let failures = 1; ; failures++) {
    let waitMs = 0;
    try {
      return await attempt();
    } catch (error) {
      if (!isPassing(error) || late?.aborted) throw error;
      waitMs = retryAfterMs(error);
    }
    await pause(wait, failures, either, waitMs);
  }
}
