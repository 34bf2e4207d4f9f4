// Reads the first screen of a device, before its engine has started. A page paints it while the engine reads the rest.
//
// Invariant: it writes nothing, and makes no database where there is none.

import { VERSION, type FirstScreen } from "../core/records.js";

/** The first screen in the database of this name; null if there is none. */
export function readFirstScreen(name: string, factory: IDBFactory = indexedDB): Promise<FirstScreen | null> {
  return new Promise((resolve) => {
    const opening = factory.open(name);
    // There is no such database: opening would make one.
    opening.onupgradeneeded = () => opening.transaction?.abort();
    opening.onerror = (event) => {
      event.preventDefault();
      resolve(null);
    };
    opening.onsuccess = () => {
      const database = opening.result;
      const end = (first?: FirstScreen) => {
        database.close();
        resolve(first?.version === VERSION ? first : null);
      };
      database.onversionchange = () => end();
      try {
        const reading = database.transaction("meta").objectStore("meta").get("first") as IDBRequest<FirstScreen | undefined>;
        reading.onsuccess = () => end(reading.result);
        reading.onerror = () => end();
      } catch {
        end();
      }
    };
  });
}
