// Beside the list of rooms while no room is open: the first room, or what to do next.

import { html } from "../html.js";
import { nameOf } from "../state/names.js";
import { useView } from "../state/store.js";
import { t } from "../texts/index.js";
import { RoomForm } from "./room-form.js";

export function Greeting() {
  const home = useView("home");
  const viewer = useView("viewer");
  if (!home?.isLoaded) return html`<div class="screen-body" aria-busy="true"></div>`;
  const name = viewer ? nameOf(viewer) : "";
  if (home.rooms.length === 0 && home.invites.length === 0) {
    return html`<div class="screen-body"><div class="stack first-room">
      <h1>${t("first.title", { name })}</h1>
      <p class="soft">${t("first.lead")}</p>
      <${RoomForm} name=${t("first.roomName")} isOpen />
      <p>${t("first.or")} <a href="/rooms">${t("first.directory")}</a></p>
    </div></div>`;
  }
  return html`<div class="screen-body greeting">
    <div class="stack">
      <h1>${t("greeting.title", { name })}</h1>
      <p class="soft">${t("greeting.lead")}</p>
      <p class="row greeting-ways"><a class="button" href="/new">${t("home.new")}</a><a class="button" href="/rooms">${t("home.directory")}</a></p>
    </div>
  </div>`;
}
