// One message of a timeline: sender and time, what it replies to, text, reactions, thread and readers.
//
// Invariant: a row without the focus or the pointer has no buttons but those that say something, so that 120 rows stay
// small.

import { useComputed } from "@preact/signals";
import { html } from "../html.js";
import { Avatar } from "../parts/avatar.js";
import { Icon } from "../parts/icon.js";
import { go, pathTo } from "../router.js";
import { formatDate, t } from "../texts/index.js";
import { at, nameOf, textAt } from "../timeline/changes.js";
import type { Item } from "../timeline/items.js";
import { Body, readable } from "./body.js";
import { localpart } from "../state/names.js";
import type { Conversation } from "./conversation.js";
import { Reactions } from "./reactions.js";
import { ReplyQuote } from "./reply.js";
import { Tools } from "./tools.js";

interface MessageProps {
  item: Item & { kind: "message" };
  conversation: Conversation;
}

const TIME: Intl.DateTimeFormatOptions = { hour: "numeric", minute: "2-digit" };
const WHOLE: Intl.DateTimeFormatOptions = { dateStyle: "full", timeStyle: "medium" };

export function Time({ at: time, href }: { at: string; href?: string }) {
  const inner = html`<time datetime=${time} title=${formatDate(time, WHOLE)}>${formatDate(time, TIME)}</time>`;
  return href === undefined ? inner : html`<a class="when" href=${href} tabindex="-1">${inner}</a>`;
}

/** Whether the message is for the viewer in particular. */
export function mentions(content: unknown, viewerId: string | null): boolean {
  const listed = at(content as never, "m.mentions");
  const ids = at(listed, "user_ids");
  return at(listed, "room") === true || (viewerId !== null && Array.isArray(ids) && ids.includes(viewerId));
}

export function Message({ item, conversation }: MessageProps) {
  const { row, isContinued } = item;
  const { roomId, thread, viewerId, active } = conversation;
  const isActive = useComputed(() => active.value === item.key).value;
  const isEmote = textAt(row.content, "msgtype") === "m.emote";
  const name = readable(nameOf(row)).slice(0, 100);
  const kind = [
    "message",
    isContinued ? "continued" : "",
    row.senderId === viewerId ? "own" : "",
    mentions(row.content, viewerId) && row.senderId !== viewerId ? "for-me" : "",
    textAt(row.content, "msgtype") === "m.notice" ? "notice-message" : "",
  ].join(" ");
  const body = html`<${Body} key=${row.isEdited ? JSON.stringify(row.content) : ""} content=${row.content} isEdited=${row.isEdited} />`;
  const isRoot = thread === row.eventId;
  return html`<article class=${kind}>
    <div class="gutter">
      ${isContinued
        ? html`<${Time} at=${row.sentAt} href=${pathTo.room(roomId, row.eventId)} />`
        : html`<${Avatar} id=${row.senderId} name=${name} />`}
    </div>
    <div class="content">
      <header class=${isContinued ? "unseen" : "head"}>
        <bdi dir="auto" class="name" title=${t("message.from", { who: row.senderId })}>${name}</bdi>
        ${!isContinued && html` <${Time} at=${row.sentAt} href=${pathTo.room(roomId, row.eventId)} />`}
        ${row.isLate && html` <span class="late soft small">${t("message.late")}</span>`}
      </header>
      ${row.replyTo !== null && html`<${ReplyQuote} eventId=${row.replyTo} conversation=${conversation} />`}
      ${row.redaction
        ? html`<p class="redacted soft"><${Icon} name="trash" /> ${redacted(row, conversation)}</p>`
        : isEmote
          ? html`<div class="emote-row"><bdi dir="auto" class="name">${name}</bdi><div>${body}</div></div>`
          : body}
      ${row.reactions.length > 0 && html`<${Reactions} row=${row} conversation=${conversation} />`}
      ${row.thread !== null && row.thread.count > 0 && !isRoot && html`<${ThreadLink} row=${row} roomId=${roomId} />`}
      <${Readers} eventId=${row.eventId} conversation=${conversation} />
    </div>
    ${isActive && !row.redaction && html`<${Tools} row=${row} itemKey=${item.key} conversation=${conversation} />`}
  </article>`;
}

function redacted(row: (Item & { kind: "message" })["row"], { nameOf }: Conversation): string {
  const { byId, reason } = row.redaction!;
  const who = byId === null || byId === row.senderId ? null : nameOf(byId);
  const why = readable(reason ?? "").slice(0, 200);
  if (who === null) return why === "" ? t("message.redacted") : t("message.redacted.why", { why });
  return why === "" ? t("message.redacted.by", { who }) : t("message.redacted.by.why", { who, why });
}

function ThreadLink({ row, roomId }: { row: MessageProps["item"]["row"]; roomId: string }) {
  const { count, isParticipant } = row.thread!;
  const onClick = () => go(pathTo.thread(roomId, row.eventId));
  return html`<button type="button" class=${`thread-link ${isParticipant ? "with-me" : ""}`} onClick=${onClick}>
    <${Icon} name="thread" />${t("message.thread", { count })}
  </button>`;
}

const READERS_SHOWN = 5;

/** Those who have read up to here. */
function Readers({ eventId, conversation }: { eventId: string; conversation: Conversation }) {
  const readers = useComputed(() => conversation.receipts.value.get(eventId) ?? "").value;
  if (readers === "") return null;
  const all = readers.split(" ");
  const names = all.map((userId) => conversation.nameOf(userId));
  const label = t("message.readBy", { who: names.slice(0, 10).join(", "), count: all.length });
  return html`<span class="readers" role="img" aria-label=${label} title=${label}>
    ${all.slice(0, READERS_SHOWN).map((userId, index) => html`<${Avatar} key=${userId} id=${userId} name=${names[index] ?? localpart(userId)} size="small" />`)}
    ${all.length > READERS_SHOWN && html`<span class="small soft">+${all.length - READERS_SHOWN}</span>`}
  </span>`;
}
