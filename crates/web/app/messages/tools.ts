// The actions on a message: react, reply, open its thread, edit, delete, copy its link.

import { useSignal } from "@preact/signals";
import { useLayoutEffect, useRef } from "preact/hooks";
import type { Row } from "rookery-client/store";
import { REACTIONS } from "../composer/emoji.js";
import { targetOf } from "../composer/target.js";
import { html } from "../html.js";
import { Button, IconButton } from "../parts/button.js";
import { Dialog } from "../parts/dialog.js";
import { Field } from "../parts/field.js";
import { toast } from "../parts/toast.js";
import { go, linkTo, pathTo } from "../router.js";
import { reason as whyNot } from "../state/acting.js";
import { t } from "../texts/index.js";
import type { Conversation } from "./conversation.js";
import { toggle } from "./reactions.js";

interface ToolsProps {
  row: Row;
  itemKey: string;
  conversation: Conversation;
}

export function permissions({ store, roomId, viewerId }: Conversation, row: Row) {
  const can = store.get(`room:${roomId}`)?.can;
  const isOwn = row.senderId === viewerId;
  return {
    react: can?.addReactions ?? true,
    reply: can?.sendMessages ?? true,
    edit: isOwn && row.type === "m.room.message" && (can?.sendMessages ?? true),
    redact: isOwn || (can?.redactOthers ?? false),
  };
}

export function reply({ roomId, thread }: Conversation, row: Row) {
  targetOf(roomId, thread).value = { kind: "reply", row };
}

export function edit({ roomId, thread }: Conversation, row: Row) {
  targetOf(roomId, thread).value = { kind: "edit", row };
}

export async function copyLink({ roomId }: Conversation, row: Row) {
  await navigator.clipboard.writeText(linkTo(pathTo.room(roomId, row.eventId))).catch(() => {});
  toast(t("app.copied"));
}

export function Tools({ row, itemKey, conversation }: ToolsProps) {
  const { roomId, thread, picking } = conversation;
  const may = permissions(conversation, row);
  const isAsking = useSignal(false);
  const isPicking = picking.value === itemKey;
  const group = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    if (isPicking) group.current?.querySelector<HTMLElement>(".emoji")?.focus({ preventScroll: true });
  }, [isPicking]);
  const react = (key: string) => {
    // The buttons of the emoji go: the focus goes back to the row.
    group.current?.closest<HTMLElement>(".line")?.focus({ preventScroll: true });
    picking.value = null;
    toggle(conversation, row, key);
  };
  const pick = () => (picking.value = isPicking ? null : itemKey);
  return html`<div class="tools" ref=${group} role="group" aria-label=${t("message.tools")}>
    ${may.react && html`<${IconButton} icon="face" label=${t("message.react")} aria-expanded=${isPicking} onClick=${pick} />`}
    ${isPicking
      ? REACTIONS.map((key) => html`<button type="button" key=${key} class="icon-button emoji" aria-label=${t("message.reactWith", { key })} onClick=${() => react(key)}>${key}</button>`)
      : html`
          ${may.reply && html`<${IconButton} icon="reply" label=${t("message.reply")} onClick=${() => reply(conversation, row)} />`}
          ${thread === null && may.reply && html`<${IconButton} icon="thread" label=${t("message.openThread")} onClick=${() => go(pathTo.thread(roomId, row.eventId))} />`}
          ${may.edit && html`<${IconButton} icon="edit" label=${t("message.edit")} onClick=${() => edit(conversation, row)} />`}
          <${IconButton} icon="copy" label=${t("app.copy")} onClick=${() => void copyLink(conversation, row)} />
          ${may.redact && html`<${IconButton} icon="trash" label=${t("message.redact")} onClick=${() => (isAsking.value = true)} />`}
        `}
    ${isAsking.value && html`<${Redact} row=${row} conversation=${conversation} onClose=${() => (isAsking.value = false)} />`}
  </div>`;
}

function Redact({ row, conversation, onClose }: { row: Row; conversation: Conversation; onClose: () => void }) {
  const why = useSignal("");
  const redact = (event: SubmitEvent) => {
    event.preventDefault();
    onClose();
    const done = conversation.store.redact(conversation.roomId, row.eventId, why.value.trim() || undefined);
    done.catch((error: unknown) => toast(whyNot(error), "bad"));
  };
  return html`<${Dialog} title=${t("message.redact.title")} onClose=${onClose}>
    <form class="stack" onSubmit=${redact}>
      <p>${t("message.redact.about")}</p>
      <${Field} label=${t("message.redact.reason")} value=${why.value} onInput=${(text: string) => (why.value = text)} isPeoples />
      <div class="dialog-ends">
        <${Button} onClick=${onClose}>${t("app.cancel")}<//>
        <${Button} kind="bad" type="submit">${t("message.redact")}<//>
      </div>
    </form>
  <//>`;
}
