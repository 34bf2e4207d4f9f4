// Users who are not in the room: invited ones, and banned ones, each with the way to undo it.

import { useEffect, useState } from "preact/hooks";
import { BannedMembersDocument, KickUserDocument, UnbanUserDocument, type BannedMembersQuery } from "../../generated.js";
import { html } from "../../html.js";
import { Avatar } from "../../parts/avatar.js";
import { Button } from "../../parts/button.js";
import { act } from "../../state/acting.js";
import { nameOf } from "../../state/names.js";
import { useStore, useView } from "../../state/store.js";
import { t } from "../../texts/index.js";

type Page = NonNullable<BannedMembersQuery["room"]>["members"];

export function Others({ roomId, membership }: { roomId: string; membership: "INVITE" | "BAN" }) {
  const store = useStore();
  const room = useView(`room:${roomId}`);
  const timeline = useView(`timeline:${roomId}`);
  const [page, setPage] = useState<Page | null>(null);
  // The last change of a membership: the list is read again after it.
  const last = timeline?.segments.at(-1)?.rows.findLast((row) => row.type === "m.room.member")?.eventId;
  const load = () => store.query(BannedMembersDocument, { roomId, membership }).then((data) => setPage(data.room?.members ?? null), () => {});
  useEffect(() => void load(), [roomId, last]);
  if (!page?.nodes.length) return null;
  const isBan = membership === "BAN";
  const undo = async (userId: string) => {
    await (isBan ? act(store, UnbanUserDocument, { roomId, userId }) : act(store, KickUserDocument, { roomId, userId }));
    await load();
  };
  const may = isBan ? room?.can?.ban : room?.can?.kick;
  return html`<section class="stack">
    <h3>${isBan ? t("members.banned") : t("members.invitedOnes")}</h3>
    <ul class="members">
      ${page.nodes.map(
        ({ userId, displayName }) => html`<li key=${userId} class="member">
          <${Avatar} id=${userId} name=${nameOf({ displayName, userId })} size="small" />
          <span class="grow one-line" dir="auto">${nameOf({ displayName, userId })}</span>
          ${may && html`<${Button} onClick=${() => undo(userId)}>${isBan ? t("members.unban") : t("members.withdraw")}<//>`}
        </li>`,
      )}
    </ul>
  </section>`;
}
