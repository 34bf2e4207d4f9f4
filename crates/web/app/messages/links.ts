// Finds addresses in plain text, and says which addresses a link may have.
//
// Invariant: a link leads to http, https or mailto, and to nothing else.

export interface Piece {
  text: string;
  href: string | null;
}

const ADDRESS = /\b(?:https?:\/\/|mailto:)[^\s<>"'`\u200b-\u200f\u202a-\u202e\u2060-\u2069]{2,2000}/giu;
/** Signs that end a sentence rather than an address. */
const TRAILING = /[.,;:!?'"”’»…]+$/u;
const ALLOWED = new Set(["http:", "https:", "mailto:"]);

/** The address as a browser understands it, if a link may lead there. */
export function safeHref(href: string | null): string | null {
  if (href === null) return null;
  try {
    const url = new URL(href);
    return ALLOWED.has(url.protocol) ? url.href : null;
  } catch {
    return null;
  }
}

function trimmed(address: string): string {
  let end = address.replace(TRAILING, "");
  // A bracket belongs to the address only if it was opened in it.
  while (/[)\]}]$/.test(end)) {
    const close = end.at(-1)!;
    const open = { ")": "(", "]": "[", "}": "{" }[close]!;
    if (end.split(open).length >= end.split(close).length) break;
    end = end.slice(0, -1).replace(TRAILING, "");
  }
  return end;
}

/** The text in pieces, some of which are links. */
export function pieces(text: string): Piece[] {
  const found: Piece[] = [];
  let from = 0;
  for (const match of text.matchAll(ADDRESS)) {
    const address = trimmed(match[0]);
    const href = safeHref(address);
    if (href === null) continue;
    if (match.index > from) found.push({ text: text.slice(from, match.index), href: null });
    found.push({ text: address, href });
    from = match.index + address.length;
  }
  if (from < text.length || found.length === 0) found.push({ text: text.slice(from), href: null });
  return found;
}
