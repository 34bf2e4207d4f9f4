// Calls on the screen: buttons that place one, the card that rings, and the call itself.

import { signal, useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { RoomId, Store, UserId } from "rookery-client/store";
import { html } from "../html.js";
import { localpart } from "../state/names.js";
import { Button, IconButton } from "../parts/button.js";
import { Dialog } from "../parts/dialog.js";
import { store as current, useStore, useView } from "../state/store.js";
import { t } from "../texts/index.js";
import { CallScreen } from "./screen.js";
import { Phone } from "./phone.js";
import { Ringing } from "./ringing.js";

/** The phone of this page; null before a login. */
const phone = signal<Phone | null>(null);

function nameIn(store: Store): (userId: UserId) => string {
  return (userId) => {
    const person = store.get(`person:${userId}`);
    if (person) return person.displayName ?? localpart(userId);
    const roomId = store.get("call")?.roomId;
    const member = roomId === undefined ? null : store.get(`members:${roomId}`)?.members.find((it) => it.userId === userId);
    return member?.displayName ?? localpart(userId);
  };
}

/** The panel of a call, over all screens. */
export function CallLayer() {
  const store = current.value;
  useEffect(() => {
    if (!store) return;
    const now = new Phone(store, nameIn(store));
    now.begin();
    phone.value = now;
    return () => {
      now.end();
      phone.value = null;
    };
  }, [store]);
  if (!store || !phone.value || phone.value.store !== store) return null;
  return html`<${Layer} phone=${phone.value} />`;
}

function Layer({ phone }: { phone: Phone }) {
  const call = phone.call.value;
  const viewerId = useView("viewer")?.userId ?? null;
  const isHere = phone.link.value !== null;
  // Names of both users are asked for while there is a call.
  useView(`person:${call?.callerId ?? ""}`);
  useView(`person:${call?.calleeId ?? ""}`);
  if (isHere) return html`<${CallScreen} phone=${phone} />`;
  if (!call || call.state === "ENDED") return null;
  if (call.state === "RINGING" && call.calleeId === viewerId) return html`<${Ringing} phone=${phone} call=${call} />`;
  if (call.partyId === null) return null;
  const other = phone.nameOf(call.callerId === viewerId ? call.calleeId : call.callerId);
  return html`<aside class="call-card" aria-label=${t("call.label")}>
    <p>${t("call.otherTab", { who: other })}</p>
    <div class="dialog-ends">
      ${call.state === "ANSWERED" && html`<${Button} onClick=${() => void phone.rejoin()}>${t("call.takeHere")}<//>`}
      <${Button} kind="bad" onClick=${() => void phone.hangUp()}>${t("call.hangUp")}<//>
    </div>
  </aside>`;
}

/** Buttons in the bar of a room: call the other member, or choose one. */
export function CallButtons({ roomId }: { roomId: RoomId }) {
  const store = useStore();
  const members = useView(`members:${roomId}`);
  const viewerId = useView("viewer")?.userId ?? null;
  const detail = useView(`room:${roomId}`);
  const asked = useSignal<"audio" | "video" | null>(null);
  if (!detail || detail.memberCount < 2 || !globalThis.RTCPeerConnection) return null;
  const others = (members?.members ?? []).filter((member) => member.userId !== viewerId && member.membership === "JOIN");
  const place = (userId: UserId, kind: "audio" | "video") => {
    asked.value = null;
    // A notification needs a permission, and asking for one needs a click.
    if (globalThis.Notification?.permission === "default") void Notification.requestPermission();
    void phone.value?.place(roomId, userId, kind === "video");
  };
  const begin = async (kind: "audio" | "video") => {
    await store.loadMembers(roomId).catch(() => {});
    const now = (store.get(`members:${roomId}`)?.members ?? others).filter((member) => member.userId !== viewerId && member.membership === "JOIN");
    if (now.length === 1) place(now[0]!.userId, kind);
    else asked.value = kind;
  };
  const isBusy = phone.value?.link.value != null;
  return html`
    <${IconButton} icon="phone" label=${t("call.audio")} disabled=${isBusy} onClick=${() => void begin("audio")} />
    <${IconButton} icon="camera" label=${t("call.video")} disabled=${isBusy} onClick=${() => void begin("video")} />
    ${asked.value !== null &&
    html`<${Dialog} title=${t("call.whom")} onClose=${() => (asked.value = null)}>
      <ul class="stack whom">
        ${others.slice(0, 200).map((member) => html`<li key=${member.userId}>
          <${Button} onClick=${() => place(member.userId, asked.value ?? "audio")}><bdi dir="auto">${member.displayName ?? localpart(member.userId)}</bdi><//>
        </li>`)}
      </ul>
    <//>`}
  `;
}
