// The text of a message: formatted if the browser can clean it, else plain. Long texts are folded.
//
// Invariant: what people wrote reaches the page as text nodes, or through `setFormatted`.

import { useLayoutEffect, useRef, useState } from "preact/hooks";
import type { Json } from "rookery-client/store";
import { html } from "../html.js";
import { t } from "../texts/index.js";
import { textAt } from "../timeline/changes.js";
import { pathInside } from "../state/named.js";
import { pieces } from "./links.js";
import { canFormat, setFormatted } from "./sanitize.js";

const CHARACTERS_SHOWN = 1500;
const LINES_SHOWN = 18;
const LINKS_MAX = 20;
/** More combining marks than this on one letter would cover other rows. */
const MARKS = /(\p{M}{4})\p{M}+/gu;

/** The text of a message as it can be shown: well-formed, with few combining marks. */
export function readable(text: string): string {
  return text.toWellFormed().replaceAll(MARKS, "$1");
}

/** The plain text of a content. */
export function bodyOf(content: Json): string {
  const body = textAt(content, "body");
  if (body === null && textAt(content, "ciphertext") !== null) return t("message.encrypted");
  return readable(body ?? "");
}

/** A text as one short line, for lists and for screen readers. */
export function preview(content: Json, length = 120): string {
  const line = bodyOf(content).slice(0, 4 * length).replaceAll(/\s+/gu, " ").trim();
  return [...line].length > length ? `${[...line].slice(0, length).join("")}…` : line;
}

const EMOJI_ONLY = new RegExp("^(?:\\p{RGI_Emoji}\\s*){1,5}$", "v");
export const isBig = (text: string) => text.length <= 60 && EMOJI_ONLY.test(text);

interface BodyProps {
  content: Json;
  isEdited: boolean;
}

export function Body({ content, isEdited }: BodyProps) {
  const [isOpen, setOpen] = useState(false);
  const [isPlain, setPlain] = useState(false);
  const element = useRef<HTMLDivElement>(null);
  const text = bodyOf(content);
  const formatted = textAt(content, "format") === "org.matrix.custom.html" ? textAt(content, "formatted_body") : null;
  const isFormatted = formatted !== null && !isPlain && canFormat();
  useLayoutEffect(() => {
    if (isFormatted && element.current && !setFormatted(element.current, formatted)) setPlain(true);
  }, [formatted, isFormatted]);
  const isLong = text.length > CHARACTERS_SHOWN || lines(text) > LINES_SHOWN;
  const isFolded = isLong && !isOpen;
  const mark = isEdited && html`<span class="edited soft small"> ${t("message.edited")}</span>`;
  // Another element for formatted text: preact knows nothing about the content of it.
  return html`
    ${isFormatted
      ? html`<div key="formatted" ref=${element} class=${`body formatted ${isFolded ? "folded" : ""}`} dir="auto"></div>${mark}`
      : html`<div key="plain" class=${`body plain ${isFolded ? "folded" : ""} ${isBig(text) ? "big" : ""}`} dir="auto"><${Plain} text=${isFolded ? shortened(text) : text} />${mark}</div>`}
    ${isLong &&
    html`<button type="button" class="button link small" aria-expanded=${isOpen} onClick=${() => setOpen(!isOpen)}>
      ${isOpen ? t("message.less") : t("message.more")}
    </button>`}
  `;
}

function lines(text: string): number {
  let count = 1;
  for (let at = text.indexOf("\n"); at >= 0 && count <= LINES_SHOWN; at = text.indexOf("\n", at + 1)) count += 1;
  return count;
}

function shortened(text: string): string {
  return text.split("\n", LINES_SHOWN).join("\n").slice(0, CHARACTERS_SHOWN).toWellFormed();
}

/** A text with its addresses as links. */
export function Plain({ text }: { text: string }) {
  const all = pieces(text);
  if (all.length > 2 * LINKS_MAX) return text;
  return all.map(({ text: piece, href }) => {
    if (href === null) return piece;
    const inside = pathInside(href);
    if (inside !== null) return html`<a href=${inside}>${piece}</a>`;
    return html`<a href=${href} rel="noopener noreferrer nofollow ugc" target="_blank">${piece}</a>`;
  });
}
