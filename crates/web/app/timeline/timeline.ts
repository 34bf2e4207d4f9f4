// The timeline of a room.

import { html } from "../html.js";
import { previewOf } from "../state/preview.js";
import { useView } from "../state/store.js";

export function Timeline({ roomId }: { roomId: string; eventId: string | null }) {
  const timeline = useView(`timeline:${roomId}`);
  const rows = timeline?.segments.at(-1)?.rows ?? [];
  return html`<ol class="panel-body" tabindex="0">${rows.map((row) => html`<li key=${row.eventId} dir="auto">${previewOf(row)}</li>`)}</ol>`;
}
