// The buttons in the bar of a room: its link, its members, and a menu.

import { useState } from "preact/hooks";
import type { RoomDetail } from "rookery-client/store";
import { LeaveRoomDocument, SetRoomPreferencesDocument } from "../generated.js";
import { html } from "../html.js";
import { Button, IconButton } from "../parts/button.js";
import { Dialog } from "../parts/dialog.js";
import { Icon } from "../parts/icon.js";
import { Menu, type MenuItem } from "../parts/menu.js";
import { toast } from "../parts/toast.js";
import { go, linkTo, pathTo, type Panel } from "../router.js";
import { act } from "../state/acting.js";
import { useStore } from "../state/store.js";
import { t, type TextName } from "../texts/index.js";

const NOTIFICATIONS = { ALL: "room.notifyAll", MENTIONS: "room.notifyMentions", NONE: "room.notifyNone" } as const satisfies Record<string, TextName>;

/** Whether the bar has no space for the link: the style sheet hides its button then. */
const isTight = () => matchMedia("(max-width: 480px)").matches;

/** Copies a text and says so. */
export async function copy(text: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
    toast(t("app.copied"));
  } catch {
    toast(t("app.copyFailed", { text }), "bad");
  }
}

export function RoomActions({ room, panel }: { room: RoomDetail; panel: Panel | null }) {
  const store = useStore();
  const [isLeaving, setLeaving] = useState(false);
  const { roomId } = room;
  const prefer = (preferences: object) => void act(store, SetRoomPreferencesDocument, { roomId, ...preferences });
  const copyLink = () => void copy(linkTo(pathTo.room(room.canonicalAlias ?? roomId)));
  const toggle = (kind: "members" | "settings", path: string) => go(panel?.kind === kind ? pathTo.room(roomId) : path);
  const items: (MenuItem | false)[] = [
    { text: room.isFavourite ? t("room.unfavourite") : t("room.favourite"), icon: "star", onSelect: () => prefer({ isFavourite: !room.isFavourite }) },
    ...Object.entries(NOTIFICATIONS).map(([key, text]) => ({
      text: t(text),
      isChecked: room.notifications === key,
      onSelect: () => prefer({ notifications: key }),
    })),
    isTight() && { text: t("app.copy"), icon: "link", onSelect: copyLink },
    { text: t("room.settings"), icon: "gear", onSelect: () => go(pathTo.roomSettings(roomId)) },
    { text: t("room.leave"), icon: "close", kind: "bad", onSelect: () => setLeaving(true) },
  ];
  return html`
    <button type="button" class="button copy-link" title=${t("app.copy")} onClick=${copyLink}>
      <${Icon} name="link" /><span class="copy-link-text">${t("app.copy")}</span>
    </button>
    <${IconButton} icon="people" label=${t("members.title")} pressed=${panel?.kind === "members"} onClick=${() => toggle("members", pathTo.members(roomId))} />
    <${Menu} label=${t("room.menu")} items=${items} />
    ${isLeaving && html`<${Leave} room=${room} onClose=${() => setLeaving(false)} />`}
  `;
}

function Leave({ room, onClose }: { room: RoomDetail; onClose: () => void }) {
  const store = useStore();
  const leave = async () => {
    onClose();
    if (await act(store, LeaveRoomDocument, { roomId: room.roomId })) go("/");
  };
  return html`<${Dialog} title=${t("room.leaveTitle", { name: room.displayName })} onClose=${onClose}>
    <p>${room.joinRule === "PUBLIC" ? t("room.leavePublic") : t("room.leavePrivate")}</p>
    <div class="dialog-ends">
      <${Button} onClick=${onClose}>${t("app.cancel")}<//>
      <${Button} kind="bad" onClick=${leave}>${t("room.leave")}<//>
    </div>
  <//>`;
}
