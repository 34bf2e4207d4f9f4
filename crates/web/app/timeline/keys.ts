// The keyboard in a timeline: arrows move from row to row, Enter goes to what can be done with a row, letters do it.

import { edit, permissions, reply } from "../messages/tools.js";
import { go, pathTo } from "../router.js";
import type { Rows } from "./rows.js";
import { KEY } from "./viewport.js";

export function onKey(event: KeyboardEvent, rows: Rows) {
  const line = (event.target as Element).closest<HTMLElement>(`[${KEY}]`);
  const index = rows.scroll.indexOf(line?.getAttribute(KEY) ?? rows.stop.value);
  if (index === undefined || event.ctrlKey || event.metaKey || event.altKey || isTyped(event.target)) return;
  const isRow = event.target === line || line === null;
  const done = event.key === "Escape" && !isRow ? back(line, rows) : isRow ? onRow(event, index, rows) : onTool(event);
  if (!done) return;
  event.preventDefault();
  event.stopPropagation();
}

const isTyped = (target: EventTarget | null) => (target as Element).closest("input, textarea, select, dialog, [contenteditable]") !== null;

function back(line: HTMLElement | null, { conversation }: Rows): boolean {
  if (conversation.picking.value !== null) conversation.picking.value = null;
  line?.focus({ preventScroll: true });
  return true;
}

function onRow(event: KeyboardEvent, index: number, rows: Rows): boolean {
  const { scroll, conversation } = rows;
  const page = Math.max(1, scroll.visible.last - scroll.visible.first);
  const steps: Record<string, number> = { ArrowUp: -1, ArrowDown: 1, PageUp: -page, PageDown: page, Home: -scroll.count, End: scroll.count };
  const step = steps[event.key];
  if (step !== undefined) return focusRow(Math.max(0, Math.min(scroll.count - 1, index + step)), rows);
  const item = scroll.items[index];
  if (event.key === "Enter" || event.key === " ") {
    const row = scroll.rowAt(index);
    (row?.querySelector<HTMLElement>(".tools button") ?? row?.querySelector<HTMLElement>("button, a[href]"))?.focus();
    return true;
  }
  if (item?.kind !== "message" || item.row.redaction || event.shiftKey) return false;
  const may = permissions(conversation, item.row);
  if (event.key === "r" && may.reply) reply(conversation, item.row);
  else if (event.key === "e" && may.edit) edit(conversation, item.row);
  else if (event.key === "t" && conversation.thread === null) go(pathTo.thread(rows.roomId, item.row.eventId));
  else return false;
  return true;
}

/** Arrows move between the buttons of a row. */
function onTool(event: KeyboardEvent): boolean {
  const group = (event.target as Element).closest(".tools, .reactions");
  const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  if (!group || step === undefined) return false;
  const all = [...group.querySelectorAll<HTMLElement>("button")];
  const isTurned = getComputedStyle(group).direction === "rtl";
  const at = all.indexOf(event.target as HTMLElement) + (isTurned ? -step : step);
  all[(at + all.length) % all.length]?.focus();
  return true;
}

/** Focuses a row, and brings it into view if it is not. */
export function focusRow(index: number, { scroll }: Rows): boolean {
  const row = scroll.rowAt(index);
  if (!row) {
    scroll.jump({ key: scroll.items[index]?.key ?? "", place: 0.5, hasFocus: true });
    return true;
  }
  row.focus({ preventScroll: true });
  const scroller = scroll.viewport!.scroller.getBoundingClientRect();
  const { top, bottom } = row.getBoundingClientRect();
  if (top < scroller.top) scroll.viewport!.scroller.scrollTop += top - scroller.top - 8;
  else if (bottom > scroller.bottom) scroll.viewport!.scroller.scrollTop += Math.min(top - scroller.top - 8, bottom - scroller.bottom + 8);
  scroll.scrolled();
  return true;
}
