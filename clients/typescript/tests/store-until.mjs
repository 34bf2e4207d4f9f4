// Waits for views of a store.

/** Resolves with the view when it fits. */
export function until(store, key, fits, milliseconds = 20_000) {
  return new Promise((resolve, reject) => {
    const check = () => {
      const view = store.get(key);
      if (view === undefined || !fits(view)) return;
      end();
      resolve(view);
    };
    const late = setTimeout(() => {
      end();
      reject(new Error(`${key} stays ${JSON.stringify(store.get(key))?.slice(0, 2_000)}`));
    }, milliseconds);
    const off = store.subscribe(key, check);
    const end = () => {
      clearTimeout(late);
      off();
    };
    check();
  });
}
