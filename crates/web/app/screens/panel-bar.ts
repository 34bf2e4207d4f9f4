// The bar of a panel beside a room: its title, and the way out.

import { html } from "../html.js";
import { IconButton } from "../parts/button.js";
import { go, pathTo } from "../router.js";
import { t } from "../texts/index.js";

export function PanelBar({ title, roomId }: { title: string; roomId: string }) {
  return html`<header class="bar">
    <h2 class="grow one-line">${title}</h2>
    <${IconButton} icon="close" label=${t("app.close")} onClick=${() => go(pathTo.room(roomId))} />
  </header>`;
}
