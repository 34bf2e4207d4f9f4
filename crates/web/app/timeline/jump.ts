// Jumps: to the first unread message, to a date, to the newest message.

import { useSignal, type Signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { RoomDetail } from "rookery-client/store";
import { html } from "../html.js";
import { Button, IconButton } from "../parts/button.js";
import { Dialog } from "../parts/dialog.js";
import { Icon } from "../parts/icon.js";
import { toast } from "../parts/toast.js";
import { reason } from "../state/acting.js";
import { t } from "../texts/index.js";
import type { Rows } from "./rows.js";

interface JumpBarProps {
  rows: Rows;
  detail: RoomDetail | null;
  visible: Signal<readonly [number, number]>;
  isThread: boolean;
}

/** A bar over the rows while the first unread message is not in view. */
export function JumpBar({ rows, detail, visible, isThread }: JumpBarProps) {
  const isClosed = useSignal(false);
  const [first, last] = visible.value;
  const unread = rows.readUpTo;
  const line = rows.scroll.indexOf("unread");
  const isSeen = line !== undefined && line >= first && line <= last;
  useEffect(() => {
    if (isSeen) isClosed.value = true;
  }, [isSeen]);
  if (isThread || isClosed.value || !unread || !detail || (line !== undefined && line >= first)) return null;
  const jump = () => {
    isClosed.value = true;
    void rows.goTo(unread, { place: 0.2, hasFocus: true });
  };
  return html`<div class="jump-bar">
    <button type="button" class="jump-text" onClick=${jump}><${Icon} name="back" />${t("jump.unread")}</button>
    <${IconButton} icon="close" label=${t("app.close")} onClick=${() => (isClosed.value = true)} />
  </div>`;
}

/** Leads back to the newest message. */
export function ToEnd({ rows, atEnd, unread }: { rows: Rows; atEnd: Signal<boolean>; unread: number }) {
  if (atEnd.value) return null;
  const jump = () => rows.scroll.toEnd();
  return html`<button type="button" class="to-end" title=${t("jump.newest")} onClick=${jump}>
    <${Icon} name="down" /><span class="unseen">${t("jump.newest")}</span>${unread > 0 && html`<span class="count highlight">${unread > 99 ? "99+" : unread}</span>`}
  </button>`;
}

/** Asks for a day, and shows the first messages of it. */
export function JumpToDate({ rows, onClose }: { rows: Pick<Rows, "goToDate">; onClose: () => void }) {
  const day = useSignal("");
  const jump = (event: SubmitEvent) => {
    event.preventDefault();
    if (day.value === "") return;
    onClose();
    // The begin of the day where the reader is.
    rows.goToDate(new Date(`${day.value}T00:00`).toISOString()).catch((error: unknown) => toast(reason(error), "bad"));
  };
  return html`<${Dialog} title=${t("jump.date")} onClose=${onClose}>
    <form class="stack" onSubmit=${jump}>
      <div class="field">
        <label for="jump-day">${t("jump.day")}</label>
        <input id="jump-day" type="date" required value=${day.value} onInput=${(event: InputEvent) => (day.value = (event.target as HTMLInputElement).value)} />
      </div>
      <div class="dialog-ends">
        <${Button} onClick=${onClose}>${t("app.cancel")}<//>
        <${Button} kind="main" type="submit">${t("jump.go")}<//>
      </div>
    </form>
  <//>`;
}
