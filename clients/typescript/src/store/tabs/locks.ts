// Web Locks, as signs of life: a lock ends with the program that holds it, however that program ends.
//
// **Invariant:** a program tells the name of its lock only while it holds it. So a lock that others get says that it died.

/** A lock that is held, or waited for, until it is released. */
export interface Held {
  /** Settles once the lock is held; it never does if it was released before. */
  granted: Promise<void>;
  release: () => void;
}

/** Takes an exclusive lock, once nobody else has it. */
export function hold(name: string): Held {
  const waiting = new AbortController();
  let end = () => {};
  const ended = new Promise<void>((resolve) => (end = resolve));
  const granted = new Promise<void>((resolve) => {
    const taken = () => (resolve(), ended);
    // Released while it waited.
    // A browser that denies the page its storage denies locks too. Then there is nothing to share with others.
    const denied = (error: unknown) => (error as Error).name === "SecurityError" && resolve();
    locks()?.request(name, { signal: waiting.signal }, taken).catch(denied);
  });
  return { granted, release: () => (end(), waiting.abort()) };
}

/** Calls `gone` once the holder of the lock has died, unless the signal is aborted before. */
export function watch(name: string, gone: () => void, signal: AbortSignal): void {
  const dead = () => {
    if (!signal.aborted) gone();
  };
  locks()?.request(name, { signal, mode: "shared" }, dead).catch(() => {});
}

let own: Promise<string> | undefined;

/** The name of the lock that this program holds for all its life. Without Web Locks it never settles. */
export function signOfLife(): Promise<string> {
  const name = `rookery-client:alive:${crypto.getRandomValues(new Uint32Array(4)).join("-")}`;
  return (own ??= hold(name).granted.then(() => name));
}

/** Pages that came over plain HTTP from another machine have no Web Locks. */
export const locks = (): LockManager | undefined => globalThis.navigator?.locks;
