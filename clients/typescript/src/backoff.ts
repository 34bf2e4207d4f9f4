// The pauses between retries.

/** Waits before the attempt of this number; 1 is the attempt after the first failure. */
export type Wait = (attempt: number, signal: AbortSignal) => Promise<void>;

const FIRST_MS = 250;
const LONGEST_MS = 30_000;

/** Doubles the pause each time, up to half a minute, at random, so that clients do not all return at once. */
export const backOff: Wait = (attempt, signal) => {
  const longest = Math.min(LONGEST_MS, FIRST_MS * 2 ** attempt);
  return sleep(longest * (0.5 + Math.random() / 2), signal);
};

/**
 * Waits with `wait`, and at least for the time that the server stated. It ends at once when the signal is aborted, whatever
 * `wait` does.
 */
export async function pause(wait: Wait, attempt: number, signal: AbortSignal, retryAfterMs = 0): Promise<void> {
  if (signal.aborted) return;
  const waited = Promise.all([wait(attempt, signal), sleep(retryAfterMs, signal)]);
  await untilAborted(waited, signal);
}

/** Waits, or until the signal is aborted. */
export function sleep(milliseconds: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", end);
      resolve();
    };
    const timer = setTimeout(end, milliseconds);
    signal.addEventListener("abort", end);
  });
}

/** Waits for `promise`, or until the signal is aborted. */
async function untilAborted(promise: Promise<unknown>, signal: AbortSignal): Promise<void> {
  let end = () => {};
  const aborted = new Promise<void>((resolve) => (end = resolve));
  signal.addEventListener("abort", end);
  try {
    await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener("abort", end);
  }
}
