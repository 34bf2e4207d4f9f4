// The settings of a room, as far as the viewer may change them; the others are shown.

import { useState } from "preact/hooks";
import type { RoomDetail } from "rookery-client/store";
import {
  SetHistoryVisibilityDocument,
  SetJoinRuleDocument,
  SetRoomAliasesDocument,
  SetRoomListedDocument,
  SetRoomNameDocument,
  SetRoomTopicDocument,
  type HistoryVisibility,
  type JoinRule,
} from "../generated.js";
import { html } from "../html.js";
import { Button } from "../parts/button.js";
import { Check, Choice, Field } from "../parts/field.js";
import { toast } from "../parts/toast.js";
import { act } from "../state/acting.js";
import { useStore, useView } from "../state/store.js";
import { t, type TextName } from "../texts/index.js";
import { PanelBar } from "./panel-bar.js";

const JOIN_RULES = { INVITE: "settings.joinInvite", PUBLIC: "settings.joinPublic", KNOCK: "settings.joinKnock" } as const;
const VISIBILITIES = {
  JOINED: "settings.historyJoined",
  INVITED: "settings.historyInvited",
  SHARED: "settings.historyShared",
  WORLD_READABLE: "settings.historyWorld",
} as const satisfies Record<HistoryVisibility, TextName>;

export function RoomSettings({ roomId }: { roomId: string }) {
  const room = useView(`room:${roomId}`);
  if (!room) return null;
  return html`<${PanelBar} title=${t("room.settings")} roomId=${roomId} />
    <div class="panel-body stack-large">
      <${Names} key=${`${room.name}/${room.topic}/${room.canonicalAlias}`} room=${room} />
      <${Access} room=${room} />
    </div>`;
}

/** Name, topic and address, saved together: only what changed is sent. */
function Names({ room }: { room: RoomDetail }) {
  const store = useStore();
  const { roomId, can } = room;
  const server = useView("viewer")?.userId.split(":").slice(1).join(":") ?? "";
  const [name, setName] = useState(room.name ?? "");
  const [topic, setTopic] = useState(room.topic ?? "");
  // The address of a room may be of another server, which alone can change it.
  const elsewhere = room.canonicalAlias !== null && !room.canonicalAlias.endsWith(`:${server}`) ? room.canonicalAlias : null;
  const local = elsewhere === null ? (room.canonicalAlias?.slice(1).split(":")[0] ?? "") : "";
  const [alias, setAlias] = useState(local);
  const save = async (event: Event) => {
    event.preventDefault();
    const done = [
      name !== (room.name ?? "") && (await act(store, SetRoomNameDocument, { roomId, name })),
      topic !== (room.topic ?? "") && (await act(store, SetRoomTopicDocument, { roomId, topic })),
      alias !== local && (await act(store, SetRoomAliasesDocument, { roomId, canonical: alias ? `#${alias}:${server}` : null })),
    ];
    if (done.some(Boolean)) toast(t("settings.saved"));
  };
  const isChanged = name !== (room.name ?? "") || topic !== (room.topic ?? "") || alias !== local;
  const may = can?.setName || can?.setTopic || can?.setAliases;
  return html`<form class="stack" onSubmit=${save}>
    <${Field} label=${t("new.name")} value=${name} onInput=${setName} isPeoples readonly=${!can?.setName} maxlength="255" />
    <${Field} label=${t("new.topic")} value=${topic} onInput=${setTopic} isPeoples isLong readonly=${!can?.setTopic} />
    <${Field} label=${t("settings.alias")} value=${alias} onInput=${setAlias} dir="ltr" readonly=${!can?.setAliases} hint=${alias ? undefined : t("settings.aliasHint")} />
    ${(alias || elsewhere) && html`<p class="soft small" dir="ltr"><span dir="auto">${alias ? `#${alias}:${server}` : elsewhere}</span></p>`}
    ${may && html`<div><${Button} kind="main" type="submit" disabled=${!isChanged}>${t("app.save")}<//></div>`}
  </form>`;
}

/** The rules of joining and of reading: each change is sent at once. */
function Access({ room }: { room: RoomDetail }) {
  const store = useStore();
  const { roomId, can } = room;
  const setRule = (kind: string) => void act(store, SetJoinRuleDocument, { roomId, joinRule: { kind: kind as JoinRule } });
  const setVisibility = (visibility: string) => void act(store, SetHistoryVisibilityDocument, { roomId, visibility: visibility as HistoryVisibility });
  const setListed = (isListed: boolean) => void act(store, SetRoomListedDocument, { roomId, isListed });
  const rules = Object.entries(JOIN_RULES).map(([rule, text]) => [rule, t(text)] as const);
  const isOther = room.joinRule !== null && !(room.joinRule in JOIN_RULES);
  const offered = isOther ? [...rules, [room.joinRule!, t("settings.joinRestricted")] as const] : rules;
  return html`<section class="stack">
    <h3>${t("settings.access")}</h3>
    <${Choice} label=${t("settings.joinRule")} value=${room.joinRule ?? "INVITE"} options=${offered} disabled=${!can?.setJoinRule} onChange=${setRule} />
    <${Choice} label=${t("settings.history")} value=${room.historyVisibility ?? "SHARED"} disabled=${!can?.setHistoryVisibility}
      options=${Object.entries(VISIBILITIES).map(([key, text]) => [key, t(text)] as const)} onChange=${setVisibility} />
    <${Check} checked=${room.isListed} disabled=${!can?.setAliases} onChange=${setListed}>${t("new.listed")}<//>
    <p class="soft small">${t("settings.version", { version: room.version ?? "" })}</p>
  </section>`;
}
