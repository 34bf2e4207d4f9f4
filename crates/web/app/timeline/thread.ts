// A thread, in the panel beside the timeline.

import { html } from "../html.js";

export function Thread({ roomId }: { roomId: string; eventId: string }) {
  return html`<div class="grow" data-room=${roomId}></div>`;
}
