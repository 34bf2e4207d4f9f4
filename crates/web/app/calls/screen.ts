// The call that this page has: both pictures, and the buttons for microphone, camera, screen and devices.

import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { html } from "../html.js";
import { Avatar } from "../parts/avatar.js";
import { IconButton } from "../parts/button.js";
import { toast } from "../parts/toast.js";
import { reason } from "../state/acting.js";
import { useView } from "../state/store.js";
import { t, type TextName } from "../texts/index.js";
import { DeviceDialog } from "./devices.js";
import { chosen } from "./media.js";
import type { Phone } from "./phone.js";

const STATES: Partial<Record<RTCPeerConnectionState, TextName>> = {
  connected: "call.connected",
  disconnected: "call.reconnecting",
  failed: "call.reconnecting",
};

export function CallScreen({ phone }: { phone: Phone }) {
  const link = phone.link.value!;
  const call = phone.call.value;
  const viewerId = useView("viewer")?.userId ?? null;
  const isLarge = useSignal(false);
  const isChoosing = useSignal(false);
  const { media } = link;
  const otherId = call ? (call.callerId === viewerId ? call.calleeId : call.callerId) : "";
  const who = otherId === "" ? "" : phone.nameOf(otherId);
  const isRinging = call?.state === "RINGING" || call === null;
  const state: TextName = isRinging ? "call.calling" : (STATES[link.state.value] ?? "call.connecting");
  const attempt = (work: Promise<void>) =>
    work.catch((error: Error) => error.name !== "NotAllowedError" && toast(reason(error), "bad"));
  const hasPicture = (link.remote.value?.getVideoTracks().length ?? 0) > 0;
  return html`<section class=${`call-screen ${isLarge.value ? "large" : ""}`} aria-label=${t("call.label")}>
    <div class="call-pictures">
      <${Picture} stream=${link.remote.value} kind="remote" isMuted=${false} />
      ${!hasPicture && html`<${Avatar} id=${otherId} name=${who} size="large" />`}
      ${(media.hasCamera.value || media.hasScreen.value) && html`<${Picture} stream=${media.local.value} kind="local" isMuted />`}
    </div>
    <p class="call-state" role="status"><bdi dir="auto" class="name">${who}</bdi> <span class="soft small">${t(state)}</span></p>
    <div class="call-tools" role="toolbar" aria-label=${t("call.tools")}>
      <${IconButton} icon=${media.isMuted.value ? "micOff" : "mic"} pressed=${media.isMuted.value} label=${t("call.mute")} onClick=${() => media.mute(!media.isMuted.value)} />
      <${IconButton} icon=${media.hasCamera.value ? "camera" : "cameraOff"} pressed=${media.hasCamera.value} label=${t("call.camera")} onClick=${() => void attempt(media.setCamera(!media.hasCamera.value))} />
      ${"getDisplayMedia" in navigator.mediaDevices &&
      html`<${IconButton} icon="screen" pressed=${media.hasScreen.value} label=${t("call.screen")} onClick=${() => void attempt(media.setScreen(!media.hasScreen.value))} />`}
      <${IconButton} icon="gear" label=${t("call.devices")} onClick=${() => (isChoosing.value = true)} />
      <${IconButton} icon="expand" pressed=${isLarge.value} label=${t("call.large")} onClick=${() => (isLarge.value = !isLarge.value)} />
      <${IconButton} icon="hangUp" class="hang-up" label=${t("call.hangUp")} onClick=${() => void phone.hangUp()} />
    </div>
    ${isChoosing.value && html`<${DeviceDialog} media=${media} onClose=${() => (isChoosing.value = false)} />`}
  </section>`;
}

function Picture({ stream, kind, isMuted }: { stream: MediaStream | null; kind: string; isMuted: boolean }) {
  const video = useRef<HTMLVideoElement>(null);
  const output = chosen.value.audiooutput;
  useEffect(() => {
    const element = video.current!;
    if (element.srcObject !== stream) element.srcObject = stream;
    element.muted = isMuted;
    if (stream) void element.play().catch(() => {});
  }, [stream, isMuted]);
  useEffect(() => {
    if (!isMuted && output && video.current?.setSinkId) void video.current.setSinkId(output).catch(() => {});
  }, [output, isMuted]);
  return html`<video ref=${video} class=${`picture ${kind}`} playsinline autoplay aria-label=${t(kind === "local" ? "call.own" : "call.other")}></video>`;
}
