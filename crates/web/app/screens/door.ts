// A room that the viewer is not in: why, and how to come in.

import { useEffect, useReducer, useRef, useState } from "preact/hooks";
import type { Timeline } from "rookery-client/store";
import { JoinRoomDocument, KnockDocument, LeaveRoomDocument, RoomDoorDocument, type RoomDoorQuery } from "../generated.js";
import { html } from "../html.js";
import { Avatar } from "../parts/avatar.js";
import { Button } from "../parts/button.js";
import { toast } from "../parts/toast.js";
import { go, pathTo } from "../router.js";
import { act, reason, reasonAtDoor } from "../state/acting.js";
import { localpart, nameOf } from "../state/names.js";
import { seenAt, serversFor, takeWish, useWaiting } from "../state/joining.js";
import { namedBy } from "../state/named.js";
import { useStore, useView } from "../state/store.js";
import { t, type TextName } from "../texts/index.js";
import { BackLink } from "./screen-bar.js";

type Found = NonNullable<RoomDoorQuery["room"]>;

const CLOSED: Partial<Record<NonNullable<Timeline["closed"]>["reason"], TextName>> = {
  KICKED: "door.kicked",
  BANNED: "door.banned",
  LEFT: "door.left",
  WITHDRAWN: "door.withdrawn",
};

/** Whether a place is a room ID or an alias, so that the server can be asked about it. */
const isSendable = (place: string) => namedBy(place) !== null && !place.startsWith("@");

/** `place` is a room ID, or an alias, which leads to the room. */
export function Door({ place, closed }: { place: string; closed: Timeline["closed"] }) {
  const store = useStore();
  const [room, setRoom] = useState<Found | null | undefined>(undefined);
  const [isBusy, setBusy] = useState(false);
  const [asked, ask] = useReducer((count: number) => count + 1, 0);
  const waiting = useWaiting(place);
  const by = place.startsWith("#") ? { alias: place } : { roomId: place };

  /** Runs an action, after forgetting how the last one ended. */
  const run = async <Payload>(action: () => Promise<Payload>): Promise<Payload> => {
    setBusy(true);
    if (waiting?.refusal) void store.dismissRemoteAction(waiting.id);
    try {
      return await action();
    } finally {
      setBusy(false);
    }
  };
  const join = async () => {
    const joined = await run(() => act(store, JoinRoomDocument, { room: by, via: serversFor(place) }, reasonAtDoor));
    if (joined?.room) go(pathTo.room(joined.room.roomId), { replace: true });
    else if (joined) ask(undefined as never);
  };
  const knock = async () => {
    if (await run(() => act(store, KnockDocument, { room: by, via: serversFor(place) }, reasonAtDoor))) ask(undefined as never);
  };
  const withdraw = async () => {
    if (room && (await run(() => act(store, LeaveRoomDocument, { roomId: room.roomId })))) ask(undefined as never);
  };

  // The server resolves addresses of its own: a room of another server is found by the address that its members have.
  const home = useView("home");
  const isAlias = place.startsWith("#");
  const joinedId = isAlias ? home?.rooms.find((it) => it.canonicalAlias === place)?.roomId : undefined;
  useEffect(() => {
    if (joinedId !== undefined) go(pathTo.room(joinedId), { replace: true });
  }, [joinedId]);
  const wasWaiting = useRef(false);
  useEffect(() => {
    // The other servers let the viewer in, by an address that is not the room's first one.
    if (wasWaiting.current && waiting === null && isAlias && joinedId === undefined) void join();
    wasWaiting.current = waiting?.kind === "JOIN" && waiting.refusal === null;
  }, [waiting]);

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
        // A text that is no ID and no alias names no room.
        if (isSendable(place)) toast(reason(error), "bad");
      },
    );
    return () => void (isCurrent = false);
  }, [place, closed, asked, waiting?.id, waiting?.refusal]);

  const known = room ?? seenAt(place);
  const name = known?.displayName ?? place;
  const why = closed ? CLOSED[closed.reason] : undefined;
  const hasKnocked = room?.myMembership === "KNOCK";
  const canKnock = known?.joinRule === "KNOCK" || known?.joinRule === "KNOCK_RESTRICTED";
  const isWaiting = waiting !== null && waiting.refusal === null;
  return html`<header class="bar"><${BackLink} /><h1 class="bar-title grow one-line" dir="auto">${name}</h1></header>
    <div class="screen-body"><div class="door stack" aria-busy=${room === undefined}>
      <${Avatar} id=${place} name=${name} size="large" isRoom />
      ${why && html`<p class="notice warn" role="status">${closed?.byId ? t(why, { name: localpart(closed.byId) }) : t("door.closed")}</p>`}
      ${known?.topic && html`<p class="door-topic" dir="auto">${known.topic}</p>`}
      ${known?.memberCount != null && html`<p class="soft">${t("room.members", { count: known.memberCount })}</p>`}
      ${room?.invite && html`<p>${t("home.invitedBy", { name: nameOf(room.invite.inviter) })}</p>`}
      ${waiting?.refusal && html`<p class="notice warn" role="status">${reasonAtDoor(waiting.refusal)}</p>`}
      ${isWaiting && html`<p class="notice" role="status">${t("door.waiting")}</p>`}
      ${hasKnocked && html`<p class="notice" role="status">${t("door.knocked")}</p>`}
      ${known === null && room === null && !why && !waiting && html`<p class="soft">${isSendable(place) ? t("door.unknown") : t("reason.noRoom")}</p>`}
      ${room !== undefined &&
      closed?.reason !== "BANNED" &&
      html`<div class="row">
        ${!isSendable(place)
          ? null
          : hasKnocked
            ? html`<${Button} disabled=${isBusy} onClick=${withdraw}>${t("door.withdraw")}<//>`
            : canKnock && !room?.invite
              ? html`<${Button} kind="main" disabled=${isBusy || isWaiting} onClick=${knock}>${t("door.knock")}<//>`
              : html`<${Button} kind="main" disabled=${isBusy || isWaiting} onClick=${join}>${isBusy || isWaiting ? t("remote.joining") : t("door.join")}<//>`}
        ${room?.replacedBy && html`<a class="button" href=${pathTo.room(room.replacedBy)}>${t("room.replacedBy")}</a>`}
        <a class="button" href="/">${t("app.home")}</a>
      </div>`}
    </div></div>`;
}
