// A message as one line, for the list of rooms.

import type { Echo, Json, Row } from "rookery-client/store";
import { t } from "../texts/index.js";

/** The text for an event, or null for one that a list of rooms shows without a text. */
export function previewOf({ type, content }: Pick<Row | Echo, "type" | "content">): string | null {
  if (type !== "m.room.message") return OTHER[type]?.() ?? null;
  const fields = content && typeof content === "object" && !Array.isArray(content) ? content : {};
  const body: Json | undefined = fields.body;
  if (typeof body !== "string") return t("preview.redacted");
  return body.slice(0, 200).replaceAll(/\s+/g, " ");
}

const OTHER: Record<string, () => string> = {
  "m.call.invite": () => t("preview.call"),
  "m.call.hangup": () => t("preview.callEnded"),
  "m.room.create": () => t("preview.created"),
  "m.room.member": () => t("preview.members"),
  "m.room.name": () => t("preview.renamed"),
};

/** A time for a list: today the hour, this week the day, else the date. */
export function shortTime(at: string): Intl.DateTimeFormatOptions {
  const days = (Date.now() - new Date(at).getTime()) / 86_400_000;
  const isToday = new Date(at).toDateString() === new Date().toDateString();
  if (isToday) return { hour: "numeric", minute: "2-digit" };
  if (days < 6) return { weekday: "short" };
  return days < 300 ? { day: "numeric", month: "short" } : { year: "numeric", month: "short" };
}
