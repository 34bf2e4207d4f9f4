// Invites that wait for an answer, above the rooms.

import type { InviteSummary } from "rookery-client/store";
import { JoinRoomDocument, LeaveRoomDocument, SetRoomPreferencesDocument } from "../generated.js";
import { html } from "../html.js";
import { Avatar } from "../parts/avatar.js";
import { Button } from "../parts/button.js";
import { go, pathTo } from "../router.js";
import { act } from "../state/acting.js";
import { nameOf } from "../state/names.js";
import { useStore } from "../state/store.js";
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
  const accept = async () => {
    if (!(await act(store, JoinRoomDocument, { room: { roomId } }))) return;
    go(pathTo.room(roomId));
    if (invite.isDirect) await act(store, SetRoomPreferencesDocument, { roomId, isDirect: true });
  };
  const decline = () => void act(store, LeaveRoomDocument, { roomId });
  return html`<li class="invite">
    <${Avatar} id=${roomId} name=${displayName} isRoom=${!invite.isDirect} />
    <div class="grow stack-small">
      <span class="room-name one-line" dir="auto">${displayName}</span>
      <span class="soft small">${t("home.invitedBy", { name: nameOf({ displayName: inviterName, userId: inviterId }) })}</span>
      ${reason && html`<span class="small" dir="auto">${reason}</span>`}
      <span class="row">
        <${Button} kind="main" onClick=${accept} aria-label=${t("home.acceptIn", { name: displayName })}>${t("home.accept")}<//>
        <${Button} onClick=${decline} aria-label=${t("home.declineIn", { name: displayName })}>${t("home.decline")}<//>
      </span>
    </div>
  </li>`;
}
