// A line of the list of rooms.

import type { RoomSummary } from "rookery-client/store";
import { html } from "../html.js";
import { Avatar } from "../parts/avatar.js";
import { Icon } from "../parts/icon.js";
import { pathTo, route } from "../router.js";
import { nameOf } from "../state/names.js";
import { previewOf, shortTime } from "../state/preview.js";
import { formatDate, formatNumber, t, type TextName } from "../texts/index.js";

/** Words for the dot of a user who is there. */
const PRESENT: Partial<Record<string, TextName>> = { ONLINE: "presence.online", UNAVAILABLE: "presence.away" };

export function RoomLine({ room }: { room: RoomSummary }) {
  const place = route.value;
  const isHere = place.page === "room" && place.roomId === room.roomId;
  const presence = room.isDirect ? (room.peer?.presence ?? undefined) : undefined;
  const isQuiet = room.notifications === "NONE";
  const count = room.notificationCount || (isQuiet ? 0 : room.unreadCount);
  return html`<li>
    <a class=${`room-line ${isHere ? "here" : ""} ${count > 0 ? "unread" : ""}`} href=${pathTo.room(room.roomId)} aria-current=${isHere ? "page" : undefined}>
      <${Avatar} id=${room.roomId} name=${room.displayName} isRoom=${!room.isDirect} presence=${presence} />
      <span class="room-line-text">
        <span class="row"><span class="room-name one-line grow" dir="auto">${room.displayName}</span>${presence && PRESENT[presence] && html`<span class="unseen">${t(PRESENT[presence])}</span>`}<${When} room=${room} /></span>
        <span class="row"><span class="room-last one-line grow"><${Last} room=${room} /></span>
          ${isQuiet && html`<span class="soft" title=${t("home.muted")}><${Icon} name="bellOff" /></span>`}
          ${room.hasCall && html`<span class="in-call"><${Icon} name="phone" /><span class="unseen">${t("home.hasCall")}</span></span>`}
          ${room.highlightCount > 0
            ? html`<span class="count highlight"><span aria-hidden="true">@${formatNumber(room.highlightCount)}</span><span class="unseen">${t("home.highlights", { count: room.highlightCount })}</span></span>`
            : count > 0 && html`<span class="count"><span aria-hidden="true">${formatNumber(count)}</span><span class="unseen">${t("home.unread", { count })}</span></span>`}
        </span>
      </span>
    </a>
  </li>`;
}

function When({ room: { lastMessage } }: { room: RoomSummary }) {
  if (!lastMessage) return null;
  const { sentAt } = lastMessage;
  return html`<time class="soft small" datetime=${sentAt}>${formatDate(sentAt, shortTime(sentAt))}</time>`;
}

/** The users who are typing, or the last message. */
function Last({ room: { typing, lastMessage, isDirect } }: { room: RoomSummary }) {
  if (typing.length > 0) return html`<em>${t("home.typing")}</em>`;
  const text = lastMessage ? previewOf(lastMessage) : null;
  if (!text || !lastMessage) return null;
  const { senderName, senderId } = lastMessage;
  return html`${!isDirect && html`<span dir="auto">${nameOf({ displayName: senderName, userId: senderId })}</span>: `}<span dir="auto">${text}</span>`;
}
