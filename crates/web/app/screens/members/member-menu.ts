// The actions of the viewer on a member: kick, ban, make moderator, and their profile.

import { useState } from "preact/hooks";
import type { Member } from "rookery-client/store";
import { BanUserDocument, KickUserDocument, SetPowerLevelsDocument } from "../../generated.js";
import { html } from "../../html.js";
import { Button } from "../../parts/button.js";
import { Dialog } from "../../parts/dialog.js";
import { Field } from "../../parts/field.js";
import { Menu, type MenuItem } from "../../parts/menu.js";
import { go, pathTo } from "../../router.js";
import { act } from "../../state/acting.js";
import { nameOf, powerOf } from "../../state/names.js";
import { useStore, useView } from "../../state/store.js";
import { t } from "../../texts/index.js";

type Removal = "kick" | "ban";

/** The roles that the menu offers, by power. */
const ROLES = [
  [0, "members.makeMember"],
  [50, "members.makeModerator"],
  [100, "members.makeAdmin"],
] as const;

export function MemberMenu({ roomId, member }: { roomId: string; member: Member }) {
  const store = useStore();
  const viewer = useView("viewer");
  const room = useView(`room:${roomId}`);
  const [removal, setRemoval] = useState<Removal | null>(null);
  const { userId } = member;
  const [own, its] = [powerOf(room?.myPowerLevel), powerOf(member.powerLevel)];
  const isOther = userId !== viewer?.userId;
  // The server decides; this only leaves out what it would refuse.
  const isBelow = isOther && its < own;
  const { can } = room ?? {};
  const setLevel = (level: number) => void act(store, SetPowerLevelsDocument, { roomId, powerLevels: { users: [{ userId, level }] } });
  const items: (MenuItem | false | undefined)[] = [
    { text: t("members.profile"), icon: "person", onSelect: () => go(pathTo.person(userId)) },
    ...(can?.setPowerLevels && isBelow
      ? ROLES.filter(([level]) => level <= own).map(([level, text]) => ({ text: t(text), isChecked: level === its, onSelect: () => setLevel(level) }))
      : []),
    can?.kick && isBelow && { text: t("members.kick"), icon: "close", kind: "bad", onSelect: () => setRemoval("kick") },
    can?.ban && isBelow && { text: t("members.ban"), icon: "trash", kind: "bad", onSelect: () => setRemoval("ban") },
  ];
  const name = nameOf(member);
  return html`<${Menu} label=${t("members.menu", { name })} items=${items} />
    ${removal && html`<${Remove} ...${{ roomId, userId, name, removal }} onClose=${() => setRemoval(null)} />`}`;
}

interface RemoveProps {
  roomId: string;
  userId: string;
  name: string;
  removal: Removal;
  onClose: () => void;
}

function Remove({ roomId, userId, name, removal, onClose }: RemoveProps) {
  const store = useStore();
  const [why, setWhy] = useState("");
  const isBan = removal === "ban";
  const remove = async (event: Event) => {
    event.preventDefault();
    const reason = why.trim();
    const input = { roomId, userId, ...(reason && { reason }) };
    onClose();
    await (isBan ? act(store, BanUserDocument, input) : act(store, KickUserDocument, input));
  };
  return html`<${Dialog} title=${isBan ? t("members.banTitle", { name }) : t("members.kickTitle", { name })} onClose=${onClose}>
    <form class="stack" onSubmit=${remove}>
      <p>${isBan ? t("members.banLead") : t("members.kickLead")}</p>
      <${Field} label=${t("members.reason")} value=${why} onInput=${setWhy} isPeoples maxlength="500" />
      <div class="dialog-ends">
        <${Button} onClick=${onClose}>${t("app.cancel")}<//>
        <${Button} kind="bad" type="submit">${isBan ? t("members.ban") : t("members.kick")}<//>
      </div>
    </form>
  <//>`;
}
