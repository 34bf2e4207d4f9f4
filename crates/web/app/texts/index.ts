// The texts of the chat in the language of the reader: `t("home.title")`, and dates and numbers beside them.
//
// Invariant: no screen has a text of its own. The test language `pseudo` shows those that do.

import { signal } from "@preact/signals";
import { fill, pseudo, type Text, type Translation, type Values } from "./catalogue.js";
import en from "./en/index.js";

export type Texts = typeof en;
export type TextName = keyof Texts;

/** The languages to choose from, each by its own name. */
export const LANGUAGES = { en: "English", de: "Deutsch", ar: "العربية" } as const;

export type Language = keyof typeof LANGUAGES | "pseudo";

interface Speech {
  language: Language;
  texts: Record<TextName, Text>;
  /** The name of the language for `Intl`. */
  locale: string;
  isRightToLeft: boolean;
  rules: Intl.PluralRules;
  number: Intl.NumberFormat;
}

function speech(language: Language, texts: Translation<Texts>): Speech {
  // The variant of the browser, such as de-AT, if it is the same language.
  const own = navigator.languages?.find((it) => it.split("-")[0] === language);
  const locale = language === "pseudo" ? "en" : (own ?? language);
  return {
    language,
    texts,
    locale,
    isRightToLeft: language === "ar",
    rules: new Intl.PluralRules(locale),
    number: new Intl.NumberFormat(locale),
  };
}

const current = signal<Speech>(speech("en", en));

/** The language of now. */
export const language = (): Language => current.value.language;

/** The text of that name. A number among `values` is written as the language does; `count` chooses the plural. */
export function t(name: TextName, values: Values = {}): string {
  const { texts, rules, number } = current.value;
  return fill(texts[name] ?? en[name], values, rules, number);
}

/** A number as the language writes it. */
export const formatNumber = (value: number): string => marked(current.value.number.format(value));

const formats = new Map<string, Intl.DateTimeFormat>();

/** A date or a time of day, in the words of `Intl.DateTimeFormat`. */
export function formatDate(at: string | number | Date, options: Intl.DateTimeFormatOptions): string {
  const { locale } = current.value;
  const key = locale + JSON.stringify(options);
  let format = formats.get(key);
  if (!format) formats.set(key, (format = new Intl.DateTimeFormat(locale, options)));
  return marked(format.format(typeof at === "string" ? new Date(at) : at));
}

/** "3 minutes ago", "yesterday". */
export function formatAgo(at: string | number, now = Date.now()): string {
  const seconds = (new Date(at).getTime() - now) / 1000;
  const [unit, size] = UNITS.find(([, size]) => Math.abs(seconds) >= size) ?? ["minute", 60];
  const format = new Intl.RelativeTimeFormat(current.value.locale, { numeric: "auto" });
  return marked(format.format(Math.round(seconds / size), unit));
}

const UNITS: [Intl.RelativeTimeFormatUnit, number][] = [
  ["year", 31_536_000],
  ["month", 2_592_000],
  ["day", 86_400],
  ["hour", 3600],
];

/** Several names as one phrase: "Ada, Bob, and Eve". */
export function formatList(items: readonly string[]): string {
  return new Intl.ListFormat(current.value.locale, { type: "conjunction" }).format(items);
}

/** Compares two names in the order of the language. */
export function compareNames(one: string, other: string): number {
  return one.localeCompare(other, current.value.locale, { sensitivity: "base", numeric: true });
}

const marked = (text: string) => (current.value.language === "pseudo" ? `⟦${text}⟧` : text);

const CHOICE = "rookery.language";

/** The language that the reader chose, or that of the browser. */
export function preferred(): Language {
  const chosen = new URLSearchParams(location.search).get("language") ?? localStorage.getItem(CHOICE);
  if (chosen === "pseudo" || (chosen && chosen in LANGUAGES)) return chosen as Language;
  return (navigator.languages ?? []).map((it) => it.split("-")[0]).find((it): it is "de" => it! in LANGUAGES) ?? "en";
}

/** Changes the language at once. The texts of others than English are a file. */
export async function speak(wanted: Language, { keep = false } = {}): Promise<void> {
  if (keep) localStorage.setItem(CHOICE, wanted);
  current.value = speech(wanted, await textsOf(wanted));
  document.documentElement.lang = current.value.locale;
  document.documentElement.dir = current.value.isRightToLeft ? "rtl" : "ltr";
}

async function textsOf(wanted: Language): Promise<Translation<Texts>> {
  if (wanted === "en") return en;
  if (wanted === "pseudo") {
    return Object.fromEntries(Object.entries(en).map(([name, text]) => [name, pseudo(text)])) as Translation<Texts>;
  }
  const answer = await fetch(`/web/texts-${wanted}.json`).catch(() => null);
  return answer?.ok ? ((await answer.json()) as Translation<Texts>) : en;
}
