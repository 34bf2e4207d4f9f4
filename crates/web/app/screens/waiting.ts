// Joins and invites that other servers have not answered yet, and those that they refused, above the rooms.

import type { RemoteAction } from "rookery-client/store";
import { html } from "../html.js";
import { IconButton } from "../parts/button.js";
import { pathTo } from "../router.js";
import { reason, reasonAtDoor } from "../state/acting.js";
import { seenAt } from "../state/joining.js";
import { useStore, useView } from "../state/store.js";
import { t, type TextName } from "../texts/index.js";

const TITLES = { JOIN: "remote.join", KNOCK: "remote.knock", INVITE: "remote.invite" } as const satisfies Record<RemoteAction["kind"], TextName>;

export function Waiting() {
  const actions = useView("remoteActions") ?? [];
  if (actions.length === 0) return null;
  return html`<section class="sidebar-part">
    <h2 class="sidebar-title">${t("remote.title")}</h2>
    <ul>${actions.map((action) => html`<${Line} key=${action.id} action=${action} />`)}</ul>
  </section>`;
}

function Line({ action }: { action: RemoteAction }) {
  const store = useStore();
  const { id, kind, roomId, alias, userId, refusal } = action;
  const place = alias ?? roomId ?? "";
  const name = userId ?? seenAt(place)?.displayName ?? place;
  const title = t(TITLES[kind], { name });
  return html`<li class="waiting row">
    <div class="grow stack-tight">
      <a class="one-line" href=${pathTo.room(roomId ?? place)} title=${name}>${title}</a>
      <span class="small ${refusal ? "refused" : "soft"}" role="status">${refusal ? (kind === "INVITE" ? reason : reasonAtDoor)(refusal) : t("remote.waiting")}</span>
    </div>
    ${refusal && html`<${IconButton} icon="close" label=${t("remote.dismiss", { what: title })} onClick=${() => void store.dismissRemoteAction(id)} />`}
  </li>`;
}
