// The composer below a timeline.

import { useState } from "preact/hooks";
import { html } from "../html.js";
import { useStore } from "../state/store.js";
import { t } from "../texts/index.js";

export function Composer({ roomId }: { roomId: string; threadRoot?: string }) {
  const store = useStore();
  const [body, setBody] = useState("");
  const send = (event: Event) => {
    event.preventDefault();
    if (body.trim()) void store.send(roomId, { body });
    setBody("");
  };
  return html`<form class="panel-body" onSubmit=${send}>
    <input class="search" dir="auto" value=${body} aria-label=${t("room.message")} onInput=${(event: InputEvent) => setBody((event.target as HTMLInputElement).value)} />
  </form>`;
}
