// All screens: first visit without a session, else the list of rooms with the screen that the path names.

import { useEffect } from "preact/hooks";
import { html } from "../html.js";
import { Toasts } from "../parts/toast.js";
import { route } from "../router.js";
import { store } from "../state/store.js";
import { t } from "../texts/index.js";
import { Greeting } from "./greeting.js";
import { Later } from "./later.js";
import { Sidebar } from "./sidebar.js";
import { Title } from "./title.js";
import { Welcome } from "./welcome.js";

export function App() {
  return html`<${store.value ? Inside : Welcome} /><${Toasts} />`;
}

function Inside() {
  const { page } = route.value;
  // Screen readers begin to read at the screen after each change of the place.
  useEffect(() => void document.getElementById("screen")?.focus({ preventScroll: true }), [page]);
  return html`
    <a class="skip" href="#screen" onClick=${skip}>${t("app.skip")}</a>
    <div class=${`shell ${page === "home" || page === "welcome" ? "at-home" : ""}`}>
      <${Sidebar} />
      <main class="screen" id="screen" tabindex="-1"><${Screen} /></main>
    </div>
    <${Title} />
    <${Later} screen="CallLayer" isSilent />
  `;
}

function skip(event: Event) {
  event.preventDefault();
  document.getElementById("screen")?.focus();
}

function Screen() {
  const place = route.value;
  switch (place.page) {
    case "room":
      return html`<${Later} screen="RoomScreen" key=${place.roomId} ...${place} />`;
    case "person":
      return html`<${Later} screen="PersonScreen" key=${place.userId} userId=${place.userId} />`;
    case "directory":
      return html`<${Later} key="directory" screen="Directory" />`;
    case "new":
      return html`<${Later} key="new" screen="NewRoom" />`;
    case "settings":
      return html`<${Later} key="settings" screen="Settings" />`;
    case "devices":
      return html`<${Later} key="devices" screen="Devices" />`;
    case "operator":
      return html`<${Later} key="operator" screen="Operator" />`;
    case "home":
    case "welcome":
      return html`<${Greeting} />`;
    case "missing":
      return html`<div class="screen-body stack"><h1>${t("app.missing")}</h1><p><a href="/">${t("app.home")}</a></p></div>`;
  }
}
