// The shape of a catalogue, and how a text becomes a sentence.
//
// Invariant: English has every text; another language has the same ones, which the compiler checks.

/** Forms of a text by the number `count`, as the rules of the language need them. */
export type Plural = { other: string } & Partial<Record<Intl.LDMLPluralRule, string>>;

export type Text = string | Plural;

/** A translation of texts: the same names; a text with plurals stays one. */
export type Translation<Texts extends Record<string, Text>> = {
  [Name in keyof Texts]: Texts[Name] extends string ? string : Plural;
};

export type Values = Readonly<Record<string, string | number>>;

/** Fills the places `{name}` of a text. */
export function fill(text: Text, values: Values, rules: Intl.PluralRules, number: Intl.NumberFormat): string {
  const form = typeof text === "string" ? text : (text[rules.select(Number(values.count ?? 0))] ?? text.other);
  return form.replace(/\{(\w+)\}/g, (_, name: string) => {
    const value = values[name] ?? "";
    return typeof value === "number" ? number.format(value) : isolate(value);
  });
}

/** Keeps a text that people wrote, such as a name, from changing the direction of the sentence around it. */
function isolate(text: string): string {
  return `\u2068${text.replace(/[\u202a-\u202e\u2066-\u2069]/g, "")}\u2069`;
}

/** English with marks around it and accents on it: a text without them did not come from the catalogue. */
export function pseudo(text: Text): Text {
  if (typeof text !== "string") {
    const forms = Object.entries(text).map(([rule, form]) => [rule, pseudo(form)]);
    return Object.fromEntries(forms) as Plural;
  }
  const accented = text.replace(/\{\w+\}|[aeiou]/g, (found) => ACCENTS[found] ?? found);
  return `⟦${accented}~⟧`;
}

const ACCENTS: Record<string, string> = { a: "á", e: "é", i: "í", o: "ó", u: "ú" };
