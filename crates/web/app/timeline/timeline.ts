// The timeline of a room or of a thread: a list of rows that does not move under the reader.
//
// Invariant: it is a list that can be read row by row; one row at a time is reached by Tab, the others by arrow keys.

import { useComputed, useSignal } from "@preact/signals";
import type { VNode } from "preact";
import { useEffect, useLayoutEffect, useMemo, useReducer, useRef } from "preact/hooks";
import type { EventId, RoomId } from "rookery-client/store";
import { html } from "../html.js";
import { t } from "../texts/index.js";
import { useStore, useView } from "../state/store.js";
import { Announcer } from "./announce.js";
import { JumpBar, JumpToDate, ToEnd } from "./jump.js";
import type { Item } from "./items.js";
import { onKey } from "./keys.js";
import { Line } from "./line.js";
import { useReading } from "./reading.js";
import { Rows } from "./rows.js";
import { Typing } from "./typing.js";

interface TimelineProps {
  roomId: RoomId;
  /** The event that the path names. */
  eventId?: EventId | null;
  thread?: EventId | null;
}

export function Timeline({ roomId, eventId = null, thread = null }: TimelineProps) {
  const store = useStore();
  const timeline = useView(thread === null ? `timeline:${roomId}` : `thread:${roomId}/${thread}`);
  const detail = useView(`room:${roomId}`);
  const viewer = useView("viewer");
  const status = useView("status");
  const [, renderAgain] = useReducer((count: number) => count + 1, 0);
  const rows = useMemo(() => new Rows(store, roomId, thread, () => renderAgain(undefined as never)), [store, roomId, thread]);
  rows.take(timeline, detail ?? null, viewer?.userId ?? null);
  const { scroll, loader, conversation, stop } = rows;

  const scroller = useRef<HTMLDivElement>(null);
  const list = useRef<HTMLOListElement>(null);
  const atEnd = useSignal(true);
  const visible = useSignal<readonly [number, number]>([0, 0]);
  useLayoutEffect(() => {
    scroll.attach(scroller.current!, list.current!);
    return () => scroll.detach();
  }, [scroll]);
  /** Follows a change of what is visible. */
  const looked = () => {
    const { first, last } = scroll.visible;
    atEnd.value = scroll.isAtEnd;
    visible.value = [first, last];
    if (scroll.count > 0 && !scroll.isJumping) loader.near(scroll.items, first, last);
    rows.keepStop(first, last);
  };
  loader.loaded = looked;
  useLayoutEffect(() => {
    scroll.painted();
    looked();
  });
  useEffect(() => {
    if (eventId !== null) void rows.goTo(eventId, { isMarked: true });
  }, [eventId, rows]);
  useEffect(() => {
    if (thread !== null) void store.loadThread(roomId, thread).catch(() => {});
  }, [store, roomId, thread]);
  useEffect(() => {
    if (status?.phase !== "live") return;
    loader.reconnected();
    looked();
  }, [status?.phase]);
  useReading({ rows, detail: detail ?? null, visible, isThread: thread !== null });

  const onScroll = () => {
    scroll.scrolled();
    looked();
  };
  // The signal itself is the attribute: a page that begins to load renders no rows.
  const isBusy = useComputed(() => loader.running.value.size > 0);
  const { from, to } = scroll.range;
  return html`<div class="timeline">
    <${JumpBar} rows=${rows} detail=${detail ?? null} visible=${visible} isThread=${thread !== null} />
    <div class="scroller" ref=${scroller} onScroll=${onScroll}>
      <ol class="rows" ref=${list} role="list" tabindex="-1" aria-label=${t(thread === null ? "timeline.label" : "thread.label")} aria-busy=${isBusy}
        onKeyDown=${(event: KeyboardEvent) => onKey(event, rows)} onFocusIn=${rows.focused} onFocusOut=${rows.blurred}
        onPointerOver=${rows.pointed} onPointerMove=${rows.pointed} onPointerLeave=${rows.left}>
        ${scroll.items.slice(from, to).map((item) => rows.line(item, makeLine))}
      </ol>
      ${timeline !== undefined && scroll.count === 0 && html`<p class="empty soft">${t("timeline.empty")}</p>`}
    </div>
    <${ToEnd} rows=${rows} atEnd=${atEnd} unread=${detail?.unreadCount ?? 0} />
    ${thread === null && html`<${Typing} typing=${detail?.typing ?? []} nameOf=${conversation.nameOf} />`}
    ${conversation.isAskingDate.value && html`<${JumpToDate} rows=${rows} onClose=${() => (conversation.isAskingDate.value = false)} />`}
    <${Announcer} timeline=${timeline} viewerId=${viewer?.userId ?? null} thread=${thread} />
  </div>`;

  function makeLine(item: Item): VNode {
    return html`<${Line} key=${item.key} item=${item} conversation=${conversation} loader=${loader} stop=${stop} />`;
  }
}
