// A room: its bar, the timeline with the composer, and the panel that the path names. A stranger sees the door.

import { CallButtons } from "../calls/calls.js";
import { Composer } from "../composer/composer.js";
import { html } from "../html.js";
import { Avatar } from "../parts/avatar.js";
import { pathTo, type Panel } from "../router.js";
import { useView } from "../state/store.js";
import { Thread } from "../timeline/thread.js";
import { Timeline } from "../timeline/timeline.js";
import { t } from "../texts/index.js";
import { Door } from "./door.js";
import { Members } from "./members/members.js";
import { RoomActions } from "./room-actions.js";
import { RoomSettings } from "./room-settings.js";
import { BackLink } from "./screen-bar.js";

interface RoomProps {
  roomId: string;
  eventId: string | null;
  panel: Panel | null;
}

export function RoomScreen({ roomId, eventId, panel }: RoomProps) {
  const home = useView("home");
  const room = useView(`room:${roomId}`);
  const timeline = useView(`timeline:${roomId}`);
  if (!room) {
    // The view of a room that the viewer is not in may come late; the list of rooms says it as well.
    const isStranger = home?.isLoaded && (room === null || (home.isComplete && !home.rooms.some((it) => it.roomId === roomId)));
    if (isStranger) return html`<${Door} place=${roomId} closed=${timeline?.closed ?? null} />`;
    return html`<header class="bar"><${BackLink} /></header><div class="grow" aria-busy="true"></div>`;
  }
  return html`<header class="bar">
      <${BackLink} />
      <span class="only-wide"><${Avatar} id=${roomId} name=${room.displayName} isRoom=${!room.isDirect} /></span>
      <div class="grow stack-tight">
        <h1 class="bar-title one-line" dir="auto">${room.displayName}</h1>
        <p class="soft small one-line">${room.topic ? html`<span dir="auto">${room.topic}</span>` : t("room.members", { count: room.memberCount })}</p>
      </div>
      <${CallButtons} roomId=${roomId} />
      <${RoomActions} room=${room} panel=${panel} />
    </header>
    <div class=${`room ${panel ? "with-panel" : ""}`}>
      <section class="conversation" aria-label=${t("room.conversation")}>
        <${Timeline} roomId=${roomId} eventId=${eventId} />
        ${room.replacedBy !== null && html`<${Replaced} by=${room.replacedBy} />`}
        ${(room.replacedBy === null || room.can?.sendMessages) && html`<${Composer} roomId=${roomId} />`}
      </section>
      ${panel && html`<aside class="panel"><${PanelOf} roomId=${roomId} panel=${panel} /></aside>`}
    </div>`;
}

/** The room was upgraded: its members go on in another one. */
function Replaced({ by }: { by: string }) {
  return html`<p class="replaced row" role="status">
    <span class="grow">${t("room.replaced")}</span>
    <a class="button main" href=${pathTo.room(by)}>${t("room.replacedBy")}</a>
  </p>`;
}

function PanelOf({ roomId, panel }: { roomId: string; panel: Panel }) {
  switch (panel.kind) {
    case "members":
      return html`<${Members} roomId=${roomId} />`;
    case "settings":
      return html`<${RoomSettings} roomId=${roomId} />`;
    case "thread":
      return html`<${Thread} key=${panel.eventId} roomId=${roomId} eventId=${panel.eventId} />`;
  }
}
