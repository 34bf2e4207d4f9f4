// Stored values of the page: `localStorage` holds those of all tabs, `sessionStorage` those of one tab. If the browser denies
// storage, or the disk is full, the values stay in memory until the tab is closed.
//
// Invariant: no other file uses these two, and nothing here throws.

type Kind = "localStorage" | "sessionStorage";

function storage(kind: Kind) {
  /** What the browser did not take. */
  const kept = new Map<string, string>();
  const use = <Result>(run: (storage: Storage) => Result): Result | undefined => {
    try {
      return run(globalThis[kind]);
    } catch {
      return undefined;
    }
  };
  return {
    get: (key: string): string | null => kept.get(key) ?? use((it) => it.getItem(key)) ?? null,
    set: (key: string, value: string): void => {
      const isStored = use((it) => (it.setItem(key, value), true)) ?? false;
      if (isStored) kept.delete(key);
      else kept.set(key, value);
    },
    remove: (key: string): void => {
      kept.delete(key);
      use((it) => it.removeItem(key));
    },
    /** Whether the browser keeps nothing at all for this page. */
    isDenied: (): boolean => use((it) => it.length >= 0) === undefined,
  };
}

export const local = storage("localStorage");
export const ofTab = storage("sessionStorage");
