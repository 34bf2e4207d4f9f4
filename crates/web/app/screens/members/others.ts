// Users who are not in the room: those who ask to join, invited ones, and banned ones, each with what members may do.

import { useEffect, useState } from "preact/hooks";
import { InviteUserDocument, KickUserDocument, OtherMembersDocument, UnbanUserDocument, type OtherMembersQuery } from "../../generated.js";
import { html } from "../../html.js";
import { Avatar } from "../../parts/avatar.js";
import { Button } from "../../parts/button.js";
import { toast } from "../../parts/toast.js";
import { act } from "../../state/acting.js";
import { nameOf } from "../../state/names.js";
import { useStore, useView } from "../../state/store.js";
import { t, type TextName } from "../../texts/index.js";

type Page = NonNullable<OtherMembersQuery["room"]>["members"];
type Outside = "KNOCK" | "INVITE" | "BAN";

const TITLES = { KNOCK: "members.asking", INVITE: "members.invitedOnes", BAN: "members.banned" } as const satisfies Record<Outside, TextName>;
const UNDO = { KNOCK: "members.refuse", INVITE: "members.withdraw", BAN: "members.unban" } as const satisfies Record<Outside, TextName>;

export function Others({ roomId, membership }: { roomId: string; membership: Outside }) {
  const store = useStore();
  const room = useView(`room:${roomId}`);
  const timeline = useView(`timeline:${roomId}`);
  const [page, setPage] = useState<Page | null>(null);
  // The last change of a membership: the list is read again after it.
  const last = timeline?.segments.at(-1)?.rows.findLast((row) => row.type === "m.room.member")?.eventId;
  const load = () => store.query(OtherMembersDocument, { roomId, membership }).then((data) => setPage(data.room?.members ?? null), () => {});
  useEffect(() => void load(), [roomId, last]);
  if (!page?.nodes.length) return null;
  const isBan = membership === "BAN";
  const admit = async (userId: string) => {
    const done = await act(store, InviteUserDocument, { roomId, userId });
    if (done?.isPending) toast(t("remote.inviteWaits"));
    await load();
  };
  const undo = async (userId: string) => {
    await (isBan ? act(store, UnbanUserDocument, { roomId, userId }) : act(store, KickUserDocument, { roomId, userId }));
    await load();
  };
  const may = isBan ? room?.can?.ban : room?.can?.kick;
  return html`<section class="stack">
    <h3>${t(TITLES[membership])}</h3>
    <ul class="members">
      ${page.nodes.map(
        ({ userId, displayName }) => html`<li key=${userId} class="member">
          <${Avatar} id=${userId} name=${nameOf({ displayName, userId })} size="small" />
          <span class="grow one-line" dir="auto">${nameOf({ displayName, userId })}</span>
          ${membership === "KNOCK" && room?.can?.invite && html`<${Button} kind="main" onClick=${() => admit(userId)}>${t("members.admit")}<//>`}
          ${may && html`<${Button} onClick=${() => undo(userId)}>${t(UNDO[membership])}<//>`}
        </li>`,
      )}
    </ul>
  </section>`;
}
