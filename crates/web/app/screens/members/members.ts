// The members of a room, with what the viewer may do with each.

import { useCallback, useEffect, useState } from "preact/hooks";
import type { Member } from "rookery-client/store";
import { html } from "../../html.js";
import { Avatar } from "../../parts/avatar.js";
import { Button } from "../../parts/button.js";
import { LongList } from "../../parts/long-list.js";
import { toast } from "../../parts/toast.js";
import { pathTo } from "../../router.js";
import { reason } from "../../state/acting.js";
import { nameOf, powerOf } from "../../state/names.js";
import { useStore, useView } from "../../state/store.js";
import { compareNames, t } from "../../texts/index.js";
import { PanelBar } from "../panel-bar.js";
import { Invite } from "./invite.js";
import { MemberMenu } from "./member-menu.js";
import { Others } from "./others.js";

/** From this power on a member is called an administrator, and a moderator. */
const ADMIN = 100;
const MODERATOR = 50;

/** A room with more members lists them by user ID, as pages of them come in at the end. */
const SORTED_MAX = 1_000;

/** Creators have no number, so a difference would not do. */
const comparePower = (one: Member, other: Member) => Number(powerOf(one.powerLevel) > powerOf(other.powerLevel)) - Number(powerOf(one.powerLevel) < powerOf(other.powerLevel));

export function Members({ roomId }: { roomId: string }) {
  const store = useStore();
  const view = useView(`members:${roomId}`);
  const room = useView(`room:${roomId}`);
  const [search, setSearch] = useState("");
  const [isInviting, setInviting] = useState(false);
  useEffect(() => void store.loadMembers(roomId).catch((error) => toast(reason(error), "bad")), [roomId]);
  const wanted = search.trim().toLocaleLowerCase();
  const matches = (member: Member) =>
    member.membership === "JOIN" && (!wanted || `${member.displayName ?? ""} ${member.userId}`.toLocaleLowerCase().includes(wanted));
  const members = (view?.members ?? []).filter(matches);
  if ((view?.total ?? 0) <= SORTED_MAX) members.sort((one, other) => comparePower(other, one) || compareNames(nameOf(one), nameOf(other)));
  const isComplete = view?.isComplete ?? true;
  const more = useCallback(() => {
    if (!isComplete) void store.loadMoreMembers(roomId).catch((error) => toast(reason(error), "bad"));
  }, [roomId, isComplete, view?.members.length]);
  return html`<${PanelBar} title=${t("members.title")} roomId=${roomId} />
    <div class="panel-body stack">
      <div class="row">
        <input class="search grow" type="search" dir="auto" value=${search} placeholder=${t("members.search")} aria-label=${t("members.search")}
          onInput=${(event: InputEvent) => setSearch((event.target as HTMLInputElement).value)} />
        ${room?.can?.invite && html`<${Button} onClick=${() => setInviting(true)}>${t("members.invite")}<//>`}
      </div>
      <p class="soft small" role="status">${view ? t("room.members", { count: view.total }) : t("app.loading")}</p>
      <${Others} roomId=${roomId} membership="KNOCK" />
      <${LongList} class="members" items=${members} onEnd=${more}
        line=${(member: Member, place: object) => html`<${Line} key=${member.userId} roomId=${roomId} member=${member} place=${place} />`} />
      ${view && !isComplete && html`<p class="soft small" role="status">${t("members.loaded", { count: view.members.length })}</p>`}
      <${Others} roomId=${roomId} membership="INVITE" />
      ${room?.can?.ban && html`<${Others} roomId=${roomId} membership="BAN" />`}
    </div>
    ${isInviting && html`<${Invite} roomId=${roomId} onClose=${() => setInviting(false)} />`}`;
}

function Line({ roomId, member, place }: { roomId: string; member: Member; place: object }) {
  const person = useView(`person:${member.userId}`);
  const level = powerOf(member.powerLevel);
  return html`<li class="member" ...${place}>
    <a class="member-link row grow" href=${pathTo.person(member.userId)}>
      <${Avatar} id=${member.userId} name=${nameOf(member)} presence=${person?.presence} />
      <span class="grow stack-tight">
        <span class="one-line" dir="auto">${nameOf(member)}</span>
        ${person?.statusMessage
          ? html`<span class="soft small one-line" dir="auto">${person.statusMessage}</span>`
          : html`<span class="soft small one-line" dir="auto">${member.userId}</span>`}
      </span>
      ${level >= MODERATOR && html`<span class="tag">${level >= ADMIN ? t("members.admin") : t("members.moderator")}</span>`}
    </a>
    <${MemberMenu} roomId=${roomId} member=${member} />
  </li>`;
}
