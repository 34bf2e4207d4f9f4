// The choice of microphone, camera and loudspeaker.

import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { html } from "../html.js";
import { Dialog } from "../parts/dialog.js";
import { Choice } from "../parts/field.js";
import { toast } from "../parts/toast.js";
import { reason } from "../state/acting.js";
import { t } from "../texts/index.js";
import { choose, chosen, type DeviceKind, devices, type Media } from "./media.js";

const KINDS = { audioinput: "call.microphone", videoinput: "call.camera", audiooutput: "call.speaker" } as const;

export function DeviceDialog({ media, onClose }: { media: Media; onClose: () => void }) {
  const all = useSignal<readonly MediaDeviceInfo[]>([]);
  useEffect(() => {
    const look = () => void devices().then((found) => (all.value = found));
    look();
    navigator.mediaDevices.addEventListener("devicechange", look);
    return () => navigator.mediaDevices.removeEventListener("devicechange", look);
  }, []);
  const use = (kind: DeviceKind, deviceId: string) => {
    if (kind === "audiooutput") choose(kind, deviceId);
    else media.use(kind, deviceId).catch((error: unknown) => toast(reason(error), "bad"));
  };
  return html`<${Dialog} title=${t("call.devices")} onClose=${onClose}>
    ${(Object.keys(KINDS) as DeviceKind[]).map((kind) => {
      const options = all.value.filter((it) => it.kind === kind).map((it, at) => [it.deviceId, it.label || `${t(KINDS[kind])} ${at + 1}`] as const);
      if (options.length === 0) return null;
      return html`<${Choice} key=${kind} label=${t(KINDS[kind])} value=${chosen.value[kind] ?? options[0]![0]} options=${options}
        onChange=${(deviceId: string) => use(kind, deviceId)} />`;
    })}
  <//>`;
}
