// Calls: the buttons in the bar of a room, and what lies over all screens while a call rings or runs.

import { html } from "../html.js";

export function CallButtons({ roomId }: { roomId: string }) {
  return html`<span hidden data-room=${roomId}></span>`;
}

export function CallLayer() {
  return null;
}
