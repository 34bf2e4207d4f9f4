// The field in which a message is written: drafts by room, mentions, emoji, replies, edits.
//
// Invariant: a text leaves the field only when the store has queued it; the store sends it in order, once.

import { useSignal } from "@preact/signals";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import type { Draft, EventId, Json, RoomId, Row } from "rookery-client/store";
import { html } from "../html.js";
import { bodyOf } from "../messages/body.js";
import { IconButton } from "../parts/button.js";
import { toast } from "../parts/toast.js";
import { reason } from "../state/acting.js";
import { nameOf } from "../state/names.js";
import { useStore, useView } from "../state/store.js";
import { t } from "../texts/index.js";
import { at as valueAt, textAt } from "../timeline/changes.js";
import { Choices } from "./choices.js";
import { askedAt, choices, complete, type Choice, mentioned, withEmoji } from "./complete.js";
import { useDraft } from "./draft.js";
import { written } from "./markup.js";
import { targetOf } from "./target.js";
import { TargetBar } from "./targetbar.js";
import { useTyping } from "./type.js";

interface ComposerProps {
  roomId: RoomId;
  thread?: EventId | null;
}

export function Composer({ roomId, thread = null }: ComposerProps) {
  const store = useStore();
  const detail = useView(`room:${roomId}`);
  const members = useView(`members:${roomId}`);
  const viewerId = useView("viewer")?.userId ?? null;
  const target = targetOf(roomId, thread);
  const field = useRef<HTMLTextAreaElement>(null);
  /** Mentions that were chosen from the list, by user ID. */
  const chosen = useRef(new Map<string, string>());
  const text = useDraft(store, roomId, thread, detail?.draft);
  const caret = useSignal(0);
  const at = useSignal(0);
  const isClosed = useSignal(false);
  const typing = useTyping(store, roomId);

  const asked = isClosed.value ? null : askedAt(text.value, caret.value);
  const offered = asked ? choices(asked, members?.members ?? [], viewerId) : [];
  const isAskingMember = asked?.kind === "member";
  useEffect(() => {
    if (isAskingMember) void store.loadMembers(roomId).catch(() => {});
  }, [isAskingMember, roomId]);
  useLayoutEffect(() => {
    // The field has the focus before the next key: a row would take that as a command.
    const now = target.value;
    if (now?.kind === "edit") begin(now.row);
    if (now) field.current?.focus();
  }, [target.value]);
  useLayoutEffect(() => {
    // The field is as high as its text; the style sheet limits it.
    const element = field.current!;
    if (CSS.supports("field-sizing", "content")) return;
    element.style.height = "auto";
    element.style.height = `${element.scrollHeight}px`;
  }, [text.value]);

  const setText = (now: string, at = now.length) => {
    text.value = now;
    caret.value = at;
    queueMicrotask(() => field.current?.setSelectionRange(at, at));
  };
  /** Puts an old message into the field, with the mentions that it has. */
  const begin = ({ content }: Row) => {
    for (const userId of mentionedIn(content)) {
      const member = members?.members.find((it) => it.userId === userId);
      chosen.current.set(userId, `@${nameOf(member ?? { userId })}`);
    }
    setText(`${textAt(content, "msgtype") === "m.emote" ? "/me " : ""}${bodyOf(content)}`);
  };
  const onInput = () => {
    const element = field.current!;
    [text.value, caret.value] = [element.value, element.selectionStart];
    [at.value, isClosed.value] = [0, false];
    typing.typed(element.value !== "" && target.value?.kind !== "edit");
  };
  const choose = (choice: Choice) => {
    if (choice.userId !== null) chosen.current.set(choice.userId, choice.text.trim());
    const done = complete(text.value, caret.value, asked!, choice);
    setText(done.text, done.caret);
    field.current?.focus();
  };
  const leave = () => {
    const wasEdit = target.value?.kind === "edit";
    target.value = null;
    if (wasEdit) setText("");
  };
  const send = async () => {
    const typed = withEmoji(text.value);
    if (typed.trim() === "") return;
    const draft: Draft = { ...written(typed), ...mentionsOf(typed) };
    const now = target.value;
    if (now?.kind !== "edit" && thread !== null) draft.threadRoot = thread;
    if (now?.kind === "reply") draft.replyTo = now.row.eventId;
    const before = text.value;
    target.value = null;
    setText("");
    typing.typed(false);
    try {
      if (now?.kind === "edit") await store.edit(roomId, now.row.eventId, draft);
      else await store.send(roomId, draft);
      chosen.current.clear();
    } catch (error) {
      // It was not queued: the text comes back, unless something else was typed.
      if (text.value === "") setText(before);
      toast(reason(error), "bad");
    }
  };
  const mentionsOf = (typed: string): Partial<Draft> => {
    const ids = mentioned(typed, chosen.current);
    const isRoom = /(?:^|\s)@room(?!\p{L})/u.test(typed);
    return { ...(ids.length > 0 && { mentions: ids }), ...(isRoom && { mentionsRoom: true }) };
  };

  const onKeyDown = (event: KeyboardEvent) => {
    if (event.isComposing) return;
    if (offered.length > 0 && onListKey(event)) return event.preventDefault();
    const isBare = !event.shiftKey && !event.ctrlKey && !event.altKey && !event.metaKey;
    if (event.key === "Enter" && !event.shiftKey && !event.altKey) void send();
    else if (event.key === "Escape" && target.value) leave();
    else if (event.key === "ArrowUp" && isBare && text.value === "" && !target.value) {
      const row = lastOwn(store.get(thread === null ? `timeline:${roomId}` : `thread:${roomId}/${thread}`)?.segments.at(-1)?.rows ?? [], viewerId, thread);
      if (!row) return;
      target.value = { kind: "edit", row };
    } else return;
    event.preventDefault();
    event.stopPropagation();
  };
  /** Keys for the list of choices. */
  const onListKey = (event: KeyboardEvent): boolean => {
    const count = offered.length;
    if (event.key === "ArrowDown") at.value = (at.value + 1) % count;
    else if (event.key === "ArrowUp") at.value = (at.value - 1 + count) % count;
    else if ((event.key === "Enter" && !event.shiftKey) || event.key === "Tab") choose(offered[Math.min(at.value, count - 1)]!);
    else if (event.key === "Escape") isClosed.value = true;
    else return false;
    event.stopPropagation();
    return true;
  };

  if (detail?.can && !detail.can.sendMessages) return html`<p class="composer-closed soft">${t("composer.readOnly")}</p>`;
  const listId = `choices-${thread ?? roomId}`;
  const isEditing = target.value?.kind === "edit";
  const label = isEditing ? t("composer.edit") : thread !== null ? t("composer.thread") : t("composer.label", { room: detail?.displayName ?? "" });
  return html`<form class="composer" onSubmit=${(event: SubmitEvent) => (event.preventDefault(), void send())}>
    ${target.value && html`<${TargetBar} target=${target.value} onLeave=${leave} />`}
    ${offered.length > 0 && html`<${Choices} id=${listId} choices=${offered} at=${at.value} onChoose=${choose} kind=${asked!.kind} />`}
    <div class="composer-row">
      <textarea ref=${field} rows="1" dir="auto" class="composer-field" aria-label=${label} placeholder=${label} value=${text.value}
        aria-autocomplete="list" aria-haspopup="listbox" aria-controls=${offered.length > 0 ? listId : undefined}
        aria-activedescendant=${offered.length > 0 ? `${listId}-${Math.min(at.value, offered.length - 1)}` : undefined}
        onInput=${onInput} onKeyDown=${onKeyDown} onSelect=${() => (caret.value = field.current!.selectionStart)} onBlur=${() => typing.typed(false)}
        enterkeyhint="send" autocomplete="off" spellcheck="true"></textarea>
      <${IconButton} icon="send" class="send" label=${isEditing ? t("app.save") : t("composer.send")} disabled=${text.value.trim() === ""} onClick=${() => void send()} />
    </div>
  </form>`;
}

function mentionedIn(content: Json): string[] {
  const ids = valueAt(valueAt(content, "m.mentions"), "user_ids");
  return Array.isArray(ids) ? ids.filter((id) => typeof id === "string") : [];
}

/** The last message of the viewer that can be changed. */
function lastOwn(rows: readonly Row[], viewerId: string | null, thread: EventId | null): Row | null {
  const isOwn = (row: Row) =>
    row.senderId === viewerId && row.type === "m.room.message" && !row.redaction && textAt(row.content, "body") !== null && row.threadRoot === thread;
  return rows.findLast(isOwn) ?? null;
}
