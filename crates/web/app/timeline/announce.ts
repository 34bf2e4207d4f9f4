// Says each new message of the room that is open once, through a live region beside the timeline.
//
// The timeline itself is no live region: pages, edits and the moving window would be read out too.
//
// Invariant: an event is said at most once, and only if it came while the room was open.

import { useEffect, useRef, useState } from "preact/hooks";
import type { Timeline, UserId } from "rookery-client/store";
import { html } from "../html.js";
import { preview, readable } from "../messages/body.js";
import { t } from "../texts/index.js";
import { isChange, isShown, lineOf, nameOf } from "./changes.js";

/** More messages at once are counted instead. */
const SAID_MAX = 4;
/** So many stay in the region: screen readers need some time to read them. */
const KEPT = 6;

interface Said {
  key: string;
  text: string;
}

export function Announcer({ timeline, viewerId, thread }: { timeline: Timeline | undefined; viewerId: UserId | null; thread: string | null }) {
  const [said, setSaid] = useState<readonly Said[]>([]);
  /** The sequence up to which all events were there or were said. */
  const last = useRef<number | null>(null);
  useEffect(() => {
    const rows = timeline?.segments.find((segment) => segment.isLive)?.rows ?? [];
    const newest = rows.at(-1);
    if (!newest) return;
    const from = last.current;
    last.current = Math.max(from ?? 0, ...rows.slice(-100).map((row) => row.sequence));
    if (from === null) return;
    const fresh = rows.slice(-100).filter((row) => row.sequence > from && !row.isLate && row.senderId !== viewerId && isShown(row, thread));
    if (fresh.length === 0) return;
    const lines = fresh.map((row) => ({ key: row.eventId, text: sentence(row) })).filter(({ text }) => text !== "");
    const added = lines.length > SAID_MAX ? [{ key: `${newest.eventId}:count`, text: t("timeline.newCount", { count: lines.length }) }] : lines;
    setSaid((before) => [...before, ...added].slice(-KEPT));
  }, [timeline]);
  return html`<div class="unseen" role="log" aria-live="polite" aria-relevant="additions" aria-label=${t("timeline.news")}>
    ${said.map(({ key, text }) => html`<p key=${key}>${text}</p>`)}
  </div>`;
}

function sentence(row: Parameters<typeof lineOf>[0]): string {
  if (isChange(row)) {
    const line = lineOf(row);
    return line === null ? "" : t(line.key as never, line.values);
  }
  return t("timeline.said", { who: readable(nameOf(row)).slice(0, 60), text: row.redaction ? t("message.redacted") : preview(row.content, 300) });
}
