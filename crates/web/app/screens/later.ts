// Shows a screen of `more.ts` as soon as that is loaded.

import { signal } from "@preact/signals";
import { html } from "../html.js";
import { Button } from "../parts/button.js";
import { learn, t } from "../texts/index.js";

type More = typeof import("./more.js");

/** The screens; `failed` if they cannot be loaded: offline, or the server was updated since the page was opened. */
const more = signal<More | "failed" | null>(null);
let loading: Promise<void> | null = null;

/** Loads the other screens with their styles, once. */
export function loadMore(): Promise<void> {
  loading ??= Promise.all([import("./more.js"), loadStyles()]).then(
    ([loaded]) => {
      learn(loaded.texts);
      more.value = loaded;
    },
    () => void (more.value = "failed"),
  );
  return loading;
}

/** The page names the style sheet, whose name changes with its content. */
function loadStyles(): Promise<void> {
  return new Promise((resolve, reject) => {
    const link = document.createElement("link");
    link.rel = "stylesheet";
    link.href = document.documentElement.dataset.later ?? "";
    link.onload = () => resolve();
    link.onerror = () => reject(new Error("the styles did not load"));
    document.head.append(link);
  });
}

/** The screen of that name, with its properties. A silent one shows nothing until then. */
export function Later({ screen, isSilent, ...others }: { screen: Exclude<keyof More, "texts">; isSilent?: boolean; [property: string]: unknown }) {
  const loaded = more.value;
  if (loaded && loaded !== "failed") return html`<${loaded[screen]} ...${others} />`;
  if (isSilent) return null;
  if (loaded === "failed") {
    // A browser remembers that a module failed, so only a fresh page tries again.
    return html`<div class="screen-body stack"><p role="alert">${t("app.notLoaded")}</p>
      <div><${Button} onClick=${() => location.reload()}>${t("app.retry")}<//></div></div>`;
  }
  void loadMore();
  return html`<p class="screen-body soft" aria-busy="true">${t("app.loading")}</p>`;
}
