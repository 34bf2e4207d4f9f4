// The texts of the chat in the language of the reader: `t("home.title")`, and dates and numbers beside them.
//
// Invariant: no screen has a text of its own. The test language `pseudo` shows those that do.

import { local } from "../state/local.js";
import { signal } from "@preact/signals";
import { fill, pseudo, type Text, type Values } from "./catalogue.js";
import type en from "./en/index.js";
import first from "./en/first.js";
import { early } from "../state/early.js";
import { CHOICE, fileOf, preferred, type Language } from "./preferred.js";

export { LANGUAGES, preferred, type Language } from "./preferred.js";

export type Texts = typeof en;
export type TextName = keyof Texts;

type Known = Partial<Record<TextName, Text>>;

/** The English texts that are here: those of the first screens, then all. */
let english: Known = first;

interface Speech {
  language: Language;
  texts: Known;
  /** The name of the language for `Intl`. */
  locale: string;
  isRightToLeft: boolean;
  rules: Intl.PluralRules;
  number: Intl.NumberFormat;
}

function speech(language: Language, texts: Known): Speech {
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

const current = signal<Speech>(speech("en", english));

/** The language of now. */
export const language = (): Language => current.value.language;

/** The text of that name. A number among `values` is written as the language does; `count` chooses the plural. */
export function t(name: TextName, values: Values = {}): string {
  const { texts, rules, number } = current.value;
  return fill(texts[name] ?? english[name] ?? name, values, rules, number);
}

/** Adds the English texts of the screens that come later. */
export function learn(later: Known): void {
  english = { ...english, ...later };
  const { language } = current.peek();
  if (language === "en") current.value = { ...current.peek(), texts: english };
  else if (language === "pseudo") current.value = { ...current.peek(), texts: disguised() };
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

/** Changes the language at once. The texts of others than English are a file. */
export async function speak(wanted: Language, { keep = false } = {}): Promise<void> {
  if (keep) local.set(CHOICE, wanted);
  current.value = speech(wanted, await textsOf(wanted));
  document.documentElement.lang = current.value.locale;
  document.documentElement.dir = current.value.isRightToLeft ? "rtl" : "ltr";
}

async function textsOf(wanted: Language): Promise<Known> {
  if (wanted === "pseudo") return disguised();
  const file = fileOf(wanted);
  if (file === null) return english;
  // At the start they are on their way already.
  const begun = early.boot?.texts;
  if (early.boot) early.boot.texts = null;
  const answer = await ((wanted === preferred() && begun) || fetch(file).catch(() => null));
  return answer?.ok ? ((await answer.json()) as Known) : english;
}

const disguised = (): Known => Object.fromEntries(Object.entries(english).map(([name, text]) => [name, pseudo(text)]));
