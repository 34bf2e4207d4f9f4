// A user: their profile and presence, a conversation with them, and the way to ignore them.

import { useEffect, useState } from "preact/hooks";
import { CreateRoomDocument, SetRoomPreferencesDocument, SetUserIgnoredDocument, UserDocument, type UserQuery } from "../generated.js";
import { html } from "../html.js";
import { Avatar } from "../parts/avatar.js";
import { Button } from "../parts/button.js";
import { toast } from "../parts/toast.js";
import { go, linkTo, pathTo } from "../router.js";
import { act, reason } from "../state/acting.js";
import { nameOf } from "../state/names.js";
import { useStore, useView } from "../state/store.js";
import { formatAgo, t, type TextName } from "../texts/index.js";
import { copy } from "./room-actions.js";
import { ScreenBar } from "./screen-bar.js";

type Found = NonNullable<UserQuery["user"]>;

const PRESENCES: Record<string, TextName> = { ONLINE: "presence.online", UNAVAILABLE: "presence.away", OFFLINE: "presence.offline" };

export function PersonScreen({ userId }: { userId: string }) {
  const store = useStore();
  const viewer = useView("viewer");
  const live = useView(`person:${userId}`);
  const home = useView("home");
  const [found, setFound] = useState<Found | null | undefined>(undefined);
  useEffect(() => {
    let isCurrent = true;
    store.query(UserDocument, { userId }).then(
      ({ user }) => isCurrent && setFound(user),
      (error) => isCurrent && (setFound(null), toast(reason(error), "bad")),
    );
    return () => void (isCurrent = false);
  }, [userId]);
  const name = nameOf({ displayName: live?.displayName ?? found?.displayName ?? null, userId });
  const presence = live?.presence ?? found?.presence?.presence;
  const status = live?.statusMessage ?? found?.presence?.statusMessage;
  const lastActive = live?.lastActiveAt ?? found?.presence?.lastActiveAt;
  const isIgnored = viewer?.ignored.includes(userId) ?? false;
  const isOther = viewer && viewer.userId !== userId;
  const talk = async () => {
    const there = home?.rooms.find((room) => room.isDirect && room.memberCount <= 2 && room.lastMessage?.senderId === userId);
    if (there) return go(pathTo.room(there.roomId));
    const created = await act(store, CreateRoomDocument, { isDirect: true, invite: [userId], preset: "PRIVATE" });
    if (!created?.room) return;
    const { roomId } = created.room;
    go(pathTo.room(roomId));
    await act(store, SetRoomPreferencesDocument, { roomId, isDirect: true });
  };
  return html`<${ScreenBar} title=${t("person.title")} />
    <div class="screen-body"><div class="door stack" aria-busy=${found === undefined}>
      <${Avatar} id=${userId} name=${name} size="large" presence=${presence} />
      <h2 dir="auto">${name}</h2>
      <p class="soft" dir="auto">${userId}</p>
      ${presence && html`<p>${lastActive && presence !== "ONLINE" ? t("person.lastSeen", { presence: t(PRESENCES[presence]!), when: formatAgo(lastActive) }) : t(PRESENCES[presence]!)}</p>`}
      ${found?.isRemote && html`<p class="soft">${t("person.elsewhere", { server: userId.slice(userId.indexOf(":") + 1) })}</p>`}
      ${status && html`<p dir="auto">${status}</p>`}
      ${found === null && html`<p class="soft">${t("reason.noUser")}</p>`}
      <div class="row">
        ${isOther && found && html`<${Button} kind="main" onClick=${talk}>${t("person.talk")}<//>`}
        ${isOther && found && html`<${Button} onClick=${() => act(store, SetUserIgnoredDocument, { userId, isIgnored: !isIgnored })}>${isIgnored ? t("person.unignore") : t("person.ignore")}<//>`}
        <${Button} onClick=${() => copy(linkTo(pathTo.person(userId)))}>${t("app.copy")}<//>
      </div>
      ${isIgnored && html`<p class="soft">${t("person.ignoredLead")}</p>`}
    </div></div>`;
}
