// Puts HTML that other people wrote into an element, through the browser's own Sanitizer.
//
// Invariant: only elements and attributes of the lists below come in, none of which runs, loads or positions anything.
// Invariant: without `Element.setHTML`, nothing comes in; the caller shows the plain text.

import { pathInside } from "../state/named.js";
import { safeHref } from "./links.js";

interface SanitizerConfig {
  elements: ({ name: string; attributes: string[] } | string)[];
  attributes: string[];
  replaceWithChildrenElements: string[];
  comments: boolean;
  dataAttributes: boolean;
}

const CONFIG: SanitizerConfig = {
  elements: [
    ...["p", "br", "hr", "strong", "b", "em", "i", "u", "s", "del", "sub", "sup", "code", "pre", "blockquote", "ul", "li"],
    ...["h1", "h2", "h3", "h4", "h5", "h6", "table", "thead", "tbody", "tr", "th", "td", "caption", "details", "summary"],
    { name: "a", attributes: ["href"] },
    { name: "ol", attributes: ["start"] },
  ],
  attributes: [],
  replaceWithChildrenElements: [
    ...["span", "font", "div", "center", "section", "article", "main", "header", "footer", "small", "big", "mark", "ins"],
    ...["strike", "tt", "kbd", "abbr", "cite", "q", "bdi", "bdo", "dl", "dt", "dd", "label", "figure", "figcaption"],
  ],
  comments: false,
  dataAttributes: false,
};

/** More elements than this in one message are not shown as formatted. */
const ELEMENTS_MAX = 60;
/** Longer HTML is not read. */
export const HTML_MAX = 20_000;
const DEPTH_MAX = 12;

type Target = Element & { setHTML?: (html: string, options: { sanitizer: SanitizerConfig }) => void };

export const canFormat = () => typeof document !== "undefined" && "setHTML" in Element.prototype;

/** Fills the element. False if the HTML is not for showing; the element stays as it is then. */
export function setFormatted(element: Element, html: string): boolean {
  if (html.length > HTML_MAX) return false;
  // A document without a window: nothing in it can run or load, also while the browser reads it.
  inert ??= document.implementation.createHTMLDocument("");
  const read: Target = inert.createElement("div");
  if (!read.setHTML) return false;
  read.setHTML(html.toWellFormed(), { sanitizer: CONFIG });
  const all = read.getElementsByTagName("*");
  if (all.length > ELEMENTS_MAX || read.textContent?.trim() === "" || depthOf(read) > DEPTH_MAX) return false;
  for (const link of read.querySelectorAll("a")) makeSafe(link);
  for (const block of read.querySelectorAll("p, li, blockquote, h1, h2, h3, h4, h5, h6, td, th, summary")) {
    block.setAttribute("dir", "auto");
  }
  element.replaceChildren(...read.childNodes);
  return true;
}

let inert: Document | undefined;

/**
 * A link that tells its target nothing about this page; a text if it leads to somewhere else than the web. Its title is the
 * address: a text that names another host than the link leads to is a trap.
 */
function makeSafe(link: HTMLAnchorElement) {
  const href = safeHref(link.getAttribute("href"));
  if (href === null) {
    link.replaceWith(...link.childNodes);
    return;
  }
  link.title = href;
  const inside = pathInside(href);
  link.href = inside ?? href;
  if (inside !== null) return;
  link.rel = "noopener noreferrer nofollow ugc";
  link.target = "_blank";
}

function depthOf(element: Element): number {
  let deepest = 0;
  for (const child of element.children) deepest = Math.max(deepest, 1 + depthOf(child));
  return deepest;
}
