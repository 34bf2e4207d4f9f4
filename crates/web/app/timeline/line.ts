// One item of a timeline as a row of the list: a message, or a line between messages.

import { useComputed, type ReadonlySignal } from "@preact/signals";
import { useState } from "preact/hooks";
import { html } from "../html.js";
import { readable } from "../messages/body.js";
import type { Conversation } from "../messages/conversation.js";
import { EchoMessage } from "../messages/echo.js";
import { Message, Time } from "../messages/message.js";
import { Icon } from "../parts/icon.js";
import { pathTo } from "../router.js";
import { localpart } from "../state/names.js";
import { useView } from "../state/store.js";
import { formatDate, formatList, t, type TextName } from "../texts/index.js";
import { isCall, lineOf, textAt } from "./changes.js";
import type { Item } from "./items.js";
import type { Loader } from "./loader.js";

interface LineProps {
  item: Item;
  conversation: Conversation;
  loader: Loader;
  /** The key of the row that Tab leads to. */
  stop: ReadonlySignal<string | null>;
}

/** Rows that other rows come in after: nothing is anchored on them. */
const LOOSE = new Set<Item["kind"]>(["older", "gap", "day", "start", "echo"]);

export function Line({ item, conversation, loader, stop }: LineProps) {
  const isStop = useComputed(() => stop.value === item.key).value;
  const isMarked = useComputed(() => item.kind === "message" && conversation.marked.value === item.row.eventId).value;
  return html`<li data-key=${item.key} data-loose=${LOOSE.has(item.kind) ? "" : undefined} data-event=${"row" in item ? item.row.eventId : undefined}
    class=${`line is-${item.kind} ${isMarked ? "marked" : ""}`} tabindex=${isStop ? 0 : -1}>
    ${content(item, conversation, loader)}
  </li>`;
}

function content(item: Item, conversation: Conversation, loader: Loader) {
  switch (item.kind) {
    case "message":
      return html`<${Message} item=${item} conversation=${conversation} />`;
    case "echo":
      return html`<${EchoMessage} echo=${item.echo} conversation=${conversation} />`;
    case "change":
      return html`<${Change} item=${item} />`;
    case "group":
      return html`<${Group} item=${item} />`;
    case "day":
      return html`<h2 class="day-name"><button type="button" title=${t("jump.date")} tabindex="-1" onClick=${() => (conversation.isAskingDate.value = true)}>
        <time datetime=${item.at}>${formatDate(item.at, { dateStyle: "full" })}</time></button></h2>`;
    case "unread":
      return html`<span class="unread-name">${t("timeline.unread")}</span>`;
    case "start":
      return html`<${Start} roomId=${conversation.roomId} />`;
    default:
      return html`<${Missing} item=${item} loader=${loader} />`;
  }
}

/** The begin of what there is to see, with the way to the room before. */
function Start({ roomId }: { roomId: string }) {
  const predecessor = useView(`room:${roomId}`)?.predecessor ?? null;
  return html`<p class="soft small">${t("timeline.start")}${predecessor !== null && html` <a href=${pathTo.room(predecessor)}>${t("timeline.predecessor")}</a>`}</p>`;
}

function Change({ item }: { item: Item & { kind: "change" } }) {
  const { row, isMissed } = item;
  const line = lineOf(row);
  if (line === null) return null;
  const key = isMissed ? "line.call.missed" : line.key;
  const values = Object.fromEntries(Object.entries(line.values).map(([name, value]) => [name, readable(value).slice(0, 300)]));
  return html`<p class=${`change-text ${key === "line.call.missed" ? "missed" : ""}`}>
    ${isCall(row) && html`<${Icon} name=${key === "line.call.placed" ? "phone" : "hangUp"} />`}
    <span>${t(key as TextName, values)}</span> <${Time} at=${row.sentAt} />
  </p>`;
}

/** Many membership changes in a row: one line that opens. */
function Group({ item }: { item: Item & { kind: "group" } }) {
  const [isOpen, setOpen] = useState(false);
  const names = [...new Set(item.rows.map((row) => readable(textAt(row.content, "displayname") ?? localpart(row.stateKey ?? row.senderId)).slice(0, 60)))];
  const shown = names.length > 4 ? [...names.slice(0, 3), t("message.others", { count: names.length - 3 })] : names;
  return html`<div class="group-text">
    <button type="button" class="button link small" aria-expanded=${isOpen} onClick=${() => setOpen(!isOpen)}>
      ${t("timeline.changes", { count: item.rows.length, who: formatList(shown) })}
    </button>
    ${isOpen &&
    html`<ul>
      ${item.rows.slice(0, 100).map((row) => html`<li key=${row.eventId}><${Change} item=${{ kind: "change", key: row.eventId, row, isMissed: false }} /></li>`)}
    </ul>`}
  </div>`;
}

/** A place where events are missing. */
function Missing({ item, loader }: { item: Item & { kind: "older" | "gap" }; loader: Loader }) {
  const hasFailed = useComputed(() => loader.failed.value.has(item.key)).value;
  const isRunning = useComputed(() => loader.running.value.has(item.key)).value || item.isLoading;
  const text = isRunning ? t("app.loading") : t(item.kind === "gap" ? "timeline.gap" : "timeline.older");
  return html`<div class="missing-text" aria-busy=${isRunning}>
    <span>${hasFailed ? t("timeline.failed") : text}</span>
    ${!isRunning &&
    html`<button type="button" class="button" onClick=${() => void loader.load(item, false, true)}>${hasFailed ? t("app.retry") : t("timeline.load")}</button>`}
  </div>`;
}
