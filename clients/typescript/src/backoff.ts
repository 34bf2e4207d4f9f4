// How long to wait before trying again.

/** Waits before the attempt of this number, which is 1 after the first failure. */
export type Wait = (attempt: number, signal: AbortSignal) => Promise<void>;

const FIRST_MS = 250;
const LONGEST_MS = 30_000;

/** Twice as long each time, up to half a minute, and at random: after a restart not everybody comes at once. */
export const backOff: Wait = (attempt, signal) => {
  const longest = Math.min(LONGEST_MS, FIRST_MS * 2 ** attempt);
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, longest * (0.5 + Math.random() / 2));
    signal.addEventListener("abort", () => (clearTimeout(timer), resolve()), { once: true });
  });
};
