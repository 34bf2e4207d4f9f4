// The store of the logged-in device, and its views as values of a component.
//
// Invariant: a component renders again only when one of the views that it uses has changed.

import { signal } from "@preact/signals";
import { useEffect, useReducer } from "preact/hooks";
import type { Store, ViewKey, Views } from "rookery-client/store";

/** The store; null before a login. */
export const store = signal<Store | null>(null);

/** The store, in a component that is shown only after a login. */
export function useStore(): Store {
  const current = store.value;
  if (!current) throw new Error("there is no store before a login");
  return current;
}

/** The view as of now, and again after each change. `undefined` until it has come for the first time. */
export function useView<K extends ViewKey>(key: K): Views[K] | undefined {
  const current = useStore();
  const [, renderAgain] = useReducer((count: number) => count + 1, 0);
  const shown = current.get(key);
  useEffect(() => {
    const end = current.subscribe(key, () => renderAgain(undefined as never));
    // It may have changed between rendering and subscribing.
    if (current.get(key) !== shown) renderAgain(undefined as never);
    return end;
  }, [current, key]);
  return shown;
}
