// The devices of the user: each login, with the way to end it.

import { useEffect, useState } from "preact/hooks";
import { DevicesDocument, RemoveDeviceDocument, RenameDeviceDocument, type DevicesQuery } from "../generated.js";
import { html } from "../html.js";
import { Button, IconButton } from "../parts/button.js";
import { Dialog } from "../parts/dialog.js";
import { Field } from "../parts/field.js";
import { toast } from "../parts/toast.js";
import { act, reason } from "../state/acting.js";
import { useStore } from "../state/store.js";
import { formatAgo, formatDate, t } from "../texts/index.js";
import { ScreenBar } from "./screen-bar.js";
import { LogOut } from "./viewer-menu.js";

type Device = NonNullable<DevicesQuery["viewer"]>["devices"]["nodes"][number];

export function Devices() {
  const store = useStore();
  const [devices, setDevices] = useState<readonly Device[] | null>(null);
  const [isLeaving, setLeaving] = useState(false);
  const load = () => store.query(DevicesDocument, {}).then(({ viewer }) => setDevices(viewer?.devices.nodes ?? []), (error) => toast(reason(error), "bad"));
  useEffect(() => void load(), []);
  const [current, others] = [devices?.filter((it) => it.isCurrent) ?? [], devices?.filter((it) => !it.isCurrent) ?? []];
  return html`<${ScreenBar} title=${t("devices.title")} />
    <div class="screen-body"><div class="stack-large" aria-busy=${devices === null}>
      <section class="stack">
        <h2>${t("devices.here")}</h2>
        <ul class="cards">${current.map((device) => html`<${Line} key=${device.deviceId} device=${device} onChange=${load} />`)}</ul>
        <div><${Button} onClick=${() => setLeaving(true)}>${t("viewer.logOut")}<//></div>
      </section>
      ${others.length > 0 &&
      html`<section class="stack">
        <h2>${t("devices.others")}</h2>
        <p class="soft">${t("devices.lead")}</p>
        <ul class="cards">${others.map((device) => html`<${Line} key=${device.deviceId} device=${device} onChange=${load} />`)}</ul>
      </section>`}
    </div></div>
    ${isLeaving && html`<${LogOut} onClose=${() => setLeaving(false)} />`}`;
}

function Line({ device, onChange }: { device: Device; onChange: () => Promise<void> }) {
  const store = useStore();
  const [isNaming, setNaming] = useState(false);
  const { deviceId, name, createdAt, lastSeenAt, isCurrent } = device;
  const shown = name ?? deviceId;
  const remove = async () => {
    if (await act(store, RemoveDeviceDocument, { deviceId })) await onChange();
  };
  return html`<li class="card row">
    <span class="grow stack-tight">
      <strong class="one-line" dir="auto">${shown}</strong>
      <span class="soft small">${isCurrent ? t("devices.now") : t("devices.seen", { when: formatAgo(lastSeenAt) })}</span>
      <span class="soft small">${t("devices.since", { when: formatDate(createdAt, { dateStyle: "medium", timeStyle: "short" }) })}</span>
    </span>
    <${IconButton} icon="edit" label=${t("devices.rename", { name: shown })} onClick=${() => setNaming(true)} />
    ${!isCurrent && html`<${Button} onClick=${remove} aria-label=${t("devices.removeOne", { name: shown })}>${t("viewer.logOut")}<//>`}
    ${isNaming && html`<${Rename} device=${device} onClose=${() => (setNaming(false), void onChange())} />`}
  </li>`;
}

function Rename({ device, onClose }: { device: Device; onClose: () => void }) {
  const store = useStore();
  const [name, setName] = useState(device.name ?? "");
  const save = async (event: Event) => {
    event.preventDefault();
    if (await act(store, RenameDeviceDocument, { deviceId: device.deviceId, name: name.trim() || null })) onClose();
  };
  return html`<${Dialog} title=${t("devices.renameTitle")} onClose=${onClose}>
    <form class="stack" onSubmit=${save}>
      <${Field} label=${t("devices.name")} value=${name} onInput=${setName} isPeoples maxlength="100" />
      <div class="dialog-ends"><${Button} onClick=${onClose}>${t("app.cancel")}<//><${Button} kind="main" type="submit">${t("app.save")}<//></div>
    </form>
  <//>`;
}
