// A room that the viewer is not in: why, and how to come in.

import { useEffect, useState } from "preact/hooks";
import type { Timeline } from "rookery-client/store";
import { JoinRoomDocument, KnockDocument, RoomDoorDocument, type RoomDoorQuery } from "../generated.js";
import { html } from "../html.js";
import { Avatar } from "../parts/avatar.js";
import { Button } from "../parts/button.js";
import { toast } from "../parts/toast.js";
import { go, pathTo } from "../router.js";
import { act, reason } from "../state/acting.js";
import { localpart, nameOf } from "../state/names.js";
import { takeWish } from "../state/joining.js";
import { useStore } from "../state/store.js";
import { t, type TextName } from "../texts/index.js";
import { BackLink } from "./screen-bar.js";

type Found = NonNullable<RoomDoorQuery["room"]>;

const CLOSED: Partial<Record<NonNullable<Timeline["closed"]>["reason"], TextName>> = {
  KICKED: "door.kicked",
  BANNED: "door.banned",
  LEFT: "door.left",
  WITHDRAWN: "door.withdrawn",
};

/** `place` is a room ID, or an alias, which leads to the room. */
export function Door({ place, closed }: { place: string; closed: Timeline["closed"] }) {
  const store = useStore();
  const [room, setRoom] = useState<Found | null | undefined>(undefined);
  const [isBusy, setBusy] = useState(false);
  const by = place.startsWith("#") ? { alias: place } : { roomId: place };

  const join = async () => {
    setBusy(true);
    const joined = await act(store, JoinRoomDocument, { room: by });
    setBusy(false);
    if (joined?.room) go(pathTo.room(joined.room.roomId), { replace: true });
  };
  const knock = async () => {
    if (await act(store, KnockDocument, { room: by })) toast(t("door.knocked"));
  };

  useEffect(() => {
    let isCurrent = true;
    const wish = !closed && takeWish();
    if (wish) void join();
    store.query(RoomDoorDocument, { by }).then(
      ({ room }) => {
        if (!isCurrent) return;
        if (room?.myMembership === "JOIN" && room.roomId !== place) go(pathTo.room(room.roomId), { replace: true });
        setRoom(room);
      },
      (error) => {
        if (!isCurrent) return;
        setRoom(null);
        toast(reason(error), "bad");
      },
    );
    return () => void (isCurrent = false);
  }, [place, closed]);

  const name = room?.displayName ?? place;
  const why = closed ? CLOSED[closed.reason] : undefined;
  const canKnock = room?.joinRule === "KNOCK" || room?.joinRule === "KNOCK_RESTRICTED";
  return html`<header class="bar"><${BackLink} /><h1 class="bar-title grow one-line" dir="auto">${name}</h1></header>
    <div class="screen-body"><div class="door stack" aria-busy=${room === undefined}>
      <${Avatar} id=${place} name=${name} size="large" isRoom />
      ${why && html`<p class="notice warn" role="status">${closed?.byId ? t(why, { name: localpart(closed.byId) }) : t("door.closed")}</p>`}
      ${room?.topic && html`<p dir="auto">${room.topic}</p>`}
      ${room?.memberCount != null && html`<p class="soft">${t("room.members", { count: room.memberCount })}</p>`}
      ${room?.invite && html`<p>${t("home.invitedBy", { name: nameOf(room.invite.inviter) })}</p>`}
      ${room === null && !why && html`<p class="soft">${t("door.unknown")}</p>`}
      ${room !== undefined &&
      closed?.reason !== "BANNED" &&
      html`<div class="row">
        ${canKnock && !room?.invite
          ? html`<${Button} kind="main" onClick=${knock}>${t("door.knock")}<//>`
          : html`<${Button} kind="main" disabled=${isBusy} onClick=${join}>${t("door.join")}<//>`}
        <a class="button" href="/">${t("app.home")}</a>
      </div>`}
    </div></div>`;
}
