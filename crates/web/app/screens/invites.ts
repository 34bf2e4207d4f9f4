// Invites that wait for an answer, above the rooms.

import { useState } from "preact/hooks";
import type { InviteSummary } from "rookery-client/store";
import { JoinRoomDocument, LeaveRoomDocument, SetRoomPreferencesDocument } from "../generated.js";
import { html } from "../html.js";
import { Avatar } from "../parts/avatar.js";
import { Button } from "../parts/button.js";
import { go, pathTo } from "../router.js";
import { act, reasonAtDoor } from "../state/acting.js";
import { serversFor, useWaiting } from "../state/joining.js";
import { isElsewhere, nameOf } from "../state/names.js";
import { useStore, useView } from "../state/store.js";
import { t } from "../texts/index.js";

export function Invites({ invites }: { invites: readonly InviteSummary[] }) {
  if (invites.length === 0) return null;
  return html`<section class="sidebar-part">
    <h2 class="sidebar-title">${t("home.invites")}</h2>
    <ul>${invites.map((invite) => html`<${Invite} key=${invite.roomId} invite=${invite} />`)}</ul>
  </section>`;
}

function Invite({ invite }: { invite: InviteSummary }) {
  const store = useStore();
  const { roomId, displayName, inviterName, inviterId, reason } = invite;
  const viewer = useView("viewer");
  const waiting = useWaiting(roomId);
  const isWaiting = waiting !== null && waiting.refusal === null;
  const [isBusy, setBusy] = useState(false);
  const accept = async () => {
    setBusy(true);
    const joined = await act(store, JoinRoomDocument, { room: { roomId }, via: serversFor(roomId) }, reasonAtDoor);
    setBusy(false);
    if (!joined) return;
    if (!joined.isPending) go(pathTo.room(roomId));
    if (invite.isDirect) await act(store, SetRoomPreferencesDocument, { roomId, isDirect: true });
  };
  const decline = () => void act(store, LeaveRoomDocument, { roomId });
  return html`<li class="invite">
    <${Avatar} id=${roomId} name=${displayName} isRoom=${!invite.isDirect} />
    <div class="grow stack-small">
      <span class="room-name one-line" dir="auto">${displayName}</span>
      <span class="soft small">${t("home.invitedBy", { name: nameOf({ displayName: inviterName, userId: inviterId }) })}</span>
      ${isElsewhere(inviterId, viewer?.userId) && html`<span class="soft small one-line" dir="ltr">${inviterId}</span>`}
      ${reason && html`<span class="small" dir="auto">${reason}</span>`}
      <span class="row">
        <${Button} kind="main" disabled=${isBusy || isWaiting} onClick=${accept} aria-label=${t("home.acceptIn", { name: displayName })}>${isBusy || isWaiting ? t("remote.joining") : t("home.accept")}<//>
        <${Button} onClick=${decline} aria-label=${t("home.declineIn", { name: displayName })}>${t("home.decline")}<//>
      </span>
    </div>
  </li>`;
}
