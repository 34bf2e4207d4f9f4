// Says above the field what is replied to, or what is changed.

import { html } from "../html.js";
import { readable } from "../messages/body.js";
import { quoteOf } from "../messages/reply.js";
import { IconButton } from "../parts/button.js";
import { Icon } from "../parts/icon.js";
import { t } from "../texts/index.js";
import type { Target } from "./target.js";

export function TargetBar({ target, onLeave }: { target: Target; onLeave: () => void }) {
  const { name, text } = quoteOf(target.row);
  return html`<div class="target-bar">
    <${Icon} name=${target.kind === "edit" ? "edit" : "reply"} />
    <span class="small">${target.kind === "edit" ? t("composer.editing") : t("composer.replying", { who: readable(name).slice(0, 60) })}</span>
    <span class="grow one-line small soft" dir="auto">${text}</span>
    <${IconButton} icon="close" label=${t("app.cancel")} onClick=${onLeave} />
  </div>`;
}
