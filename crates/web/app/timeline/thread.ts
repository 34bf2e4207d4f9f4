// A thread beside the timeline: its first message, the replies, and a composer of its own.

import { useLayoutEffect, useRef } from "preact/hooks";
import type { EventId, RoomId } from "rookery-client/store";
import { Composer } from "../composer/composer.js";
import { html } from "../html.js";
import { IconButton } from "../parts/button.js";
import { go, pathTo } from "../router.js";
import { t } from "../texts/index.js";
import { Timeline } from "./timeline.js";

export function Thread({ roomId, eventId }: { roomId: RoomId; eventId: EventId }) {
  const panel = useRef<HTMLElement>(null);
  useLayoutEffect(() => {
    // Before the next key: a row would take it as a command.
    panel.current?.querySelector("textarea")?.focus({ preventScroll: true });
    // Afterwards the reader is where they came from.
    return () => {
      const row = [...document.querySelectorAll<HTMLElement>("[data-event]")].find((it) => it.dataset.event === eventId && !panel.current?.contains(it));
      if (document.activeElement === document.body || panel.current?.contains(document.activeElement)) row?.focus({ preventScroll: true });
    };
  }, [eventId]);
  const close = () => go(pathTo.room(roomId));
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === "Escape" && !event.defaultPrevented) close();
  };
  return html`<section ref=${panel} class="conversation thread" aria-label=${t("thread.title")} onKeyDown=${onKeyDown}>
    <header class="bar">
      <h2 class="grow one-line">${t("thread.title")}</h2>
      <${IconButton} icon="close" label=${t("app.close")} onClick=${close} />
    </header>
    <${Timeline} key=${eventId} roomId=${roomId} thread=${eventId} />
    <${Composer} key=${`composer:${eventId}`} roomId=${roomId} thread=${eventId} />
  </section>`;
}
