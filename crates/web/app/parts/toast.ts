// Short notes at the edge of the window, read out by screen readers: an answer to what the user just did.

import { signal } from "@preact/signals";
import { html } from "../html.js";
import { t } from "../texts/index.js";
import { IconButton } from "./button.js";

interface Toast {
  id: number;
  text: string;
  kind: "note" | "bad";
}

const SHOWN_MS = 6000;
const toasts = signal<readonly Toast[]>([]);
let last = 0;

/** Shows a note for some seconds. A failure stays until it is closed. */
export function toast(text: string, kind: Toast["kind"] = "note"): void {
  const id = ++last;
  toasts.value = [...toasts.value.slice(-2), { id, text, kind }];
  if (kind === "note") setTimeout(() => dismiss(id), SHOWN_MS);
}

const dismiss = (id: number) => (toasts.value = toasts.value.filter((it) => it.id !== id));

export function Toasts() {
  return html`<div class="toasts" role="status">
    ${toasts.value.map(
      ({ id, text, kind }) => html`<div key=${id} class=${`toast ${kind}`}>
        <span class="grow">${text}</span>
        <${IconButton} icon="close" label=${t("app.close")} onClick=${() => dismiss(id)} />
      </div>`,
    )}
  </div>`;
}
