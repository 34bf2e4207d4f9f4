// The user of this device above the list of rooms, and the menu with everything about them.

import { useState } from "preact/hooks";
import type { Wire } from "rookery-client";
import { html } from "../html.js";
import { Avatar } from "../parts/avatar.js";
import { Button } from "../parts/button.js";
import { Check } from "../parts/field.js";
import { Dialog } from "../parts/dialog.js";
import { Menu, type MenuItem } from "../parts/menu.js";
import { toast } from "../parts/toast.js";
import { go } from "../router.js";
import { reason } from "../state/acting.js";
import { nameOf } from "../state/names.js";
import { expectEnd } from "../state/opening.js";
import { forget } from "../state/session.js";
import { useStore, useView } from "../state/store.js";
import { t, type TextName } from "../texts/index.js";

const PRESENCES = { ONLINE: "presence.online", UNAVAILABLE: "presence.away", OFFLINE: "presence.hidden" } as const satisfies Record<Wire.Presence, TextName>;

export function ViewerMenu() {
  const store = useStore();
  const viewer = useView("viewer");
  const me = useView(`person:${viewer?.userId ?? ""}`);
  const [isLeaving, setLeaving] = useState(false);
  if (!viewer) return html`<span class="grow"></span>`;
  const name = nameOf(viewer);
  const presence = me?.presence ?? "ONLINE";
  const items: (MenuItem | false)[] = [
    ...Object.entries(PRESENCES).map(([key, text]) => ({
      text: t(text),
      isChecked: key === presence,
      onSelect: () => void store.setPresence(key as Wire.Presence).catch((error) => toast(reason(error), "bad")),
    })),
    { text: t("settings.title"), icon: "gear", onSelect: () => go("/settings") },
    { text: t("devices.title"), icon: "screen", onSelect: () => go("/devices") },
    viewer.isAdmin && { text: t("operator.title"), icon: "people", onSelect: () => go("/operator") },
    { text: t("viewer.logOut"), icon: "back", onSelect: () => setLeaving(true) },
  ];
  return html`<${Avatar} id=${viewer.userId} name=${name} presence=${presence} />
    <span class="grow stack-tight">
      <strong class="one-line" dir="auto">${name}</strong>
      <span class="soft small one-line" dir="auto">${viewer.userId}</span>
    </span>
    <${Menu} label=${t("viewer.menu")} items=${items} />
    ${isLeaving && html`<${LogOut} onClose=${() => setLeaving(false)} />`}`;
}

/** Logging out, here or on all devices. Messages that were not sent are named. */
export function LogOut({ onClose }: { onClose: () => void }) {
  const store = useStore();
  const unsent = useView("status")?.unsent ?? 0;
  const [everywhere, setEverywhere] = useState(false);
  const [isBusy, setBusy] = useState(false);
  const leave = async () => {
    setBusy(true);
    expectEnd();
    try {
      await store.logOut({ everywhere });
      forget();
      go("/", { replace: true });
    } catch (error) {
      setBusy(false);
      toast(reason(error), "bad");
    }
  };
  return html`<${Dialog} title=${t("viewer.logOutTitle")} onClose=${onClose}>
    <p>${t("viewer.logOutLead")}</p>
    ${unsent > 0 && html`<p class="notice warn">${t("viewer.unsent", { count: unsent })}</p>`}
    <${Check} checked=${everywhere} onChange=${setEverywhere}>${t("viewer.everywhere")}<//>
    <div class="dialog-ends">
      <${Button} onClick=${onClose}>${t("app.cancel")}<//>
      <${Button} kind="main" disabled=${isBusy} onClick=${leave}>${t("viewer.logOut")}<//>
    </div>
  <//>`;
}
