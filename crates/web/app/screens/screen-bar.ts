// The bar of a screen: the way back on narrow windows, the title, and what the screen adds.

import { html, type Children } from "../html.js";
import { Icon } from "../parts/icon.js";
import { t } from "../texts/index.js";

export function ScreenBar({ title, children }: { title: string; children?: Children }) {
  return html`<header class="bar">
    <${BackLink} />
    <h1 class="bar-title grow one-line">${title}</h1>
    ${children}
  </header>`;
}

/** Leads to the list of rooms, where that is not beside the screen. */
export function BackLink() {
  return html`<a class="icon-button only-narrow" href="/" aria-label=${t("app.back")} title=${t("app.back")}><span class="turns"><${Icon} name="back" /></span></a>`;
}
