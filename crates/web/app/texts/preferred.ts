// The language of the reader.

import { local } from "../state/local.js";

/** The languages to choose from, each by its own name. */
export const LANGUAGES = { en: "English", de: "Deutsch", ar: "العربية" } as const;

/** `pseudo` is the test language. */
export type Language = keyof typeof LANGUAGES | "pseudo";

export const CHOICE = "rookery.language";

/** The language that the reader chose, or that of the browser. */
export function preferred(): Language {
  const chosen = new URLSearchParams(location.search).get("language") ?? local.get(CHOICE);
  if (chosen === "pseudo" || (chosen && chosen in LANGUAGES)) return chosen as Language;
  return (navigator.languages ?? []).map((it) => it.split("-")[0]).find((it): it is "de" => it! in LANGUAGES) ?? "en";
}

/** The file with the texts of the language; null if they are in the script. */
export const fileOf = (wanted: Language): string | null => (wanted === "en" || wanted === "pseudo" ? null : `/web/texts-${wanted}.json`);
