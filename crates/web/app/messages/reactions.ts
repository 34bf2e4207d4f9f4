// Reactions to a message: each with its number, and who reacted.

import type { Row } from "rookery-client/store";
import { html } from "../html.js";
import { toast } from "../parts/toast.js";
import { reason } from "../state/acting.js";
import { formatList, formatNumber, t } from "../texts/index.js";
import { readable } from "./body.js";
import type { Conversation } from "./conversation.js";

const KINDS_SHOWN = 12;
const NAMES_SHOWN = 8;
const KEY_MAX = 24;

/** Adds the reaction of the viewer, or takes it back. */
export function toggle({ store, roomId }: Conversation, row: Row, key: string) {
  const isMine = row.reactions.some((reaction) => reaction.key === key && reaction.isMine);
  const done = isMine ? store.unreact(roomId, row.eventId, key) : store.react(roomId, row.eventId, key);
  done.catch((error: unknown) => toast(reason(error), "bad"));
}

export function Reactions({ row, conversation }: { row: Row; conversation: Conversation }) {
  return html`<ul class="reactions" aria-label=${t("message.reactions")}>
    ${row.reactions.slice(0, KINDS_SHOWN).map(({ key, count, isMine, userIds }) => {
      const shown = readable([...key].slice(0, KEY_MAX).join(""));
      const names = userIds.slice(0, NAMES_SHOWN).map((userId) => conversation.nameOf(userId));
      if (count > names.length && names.length > 0) names.push(t("message.others", { count: count - names.length }));
      const label = t("message.reaction", { key: shown, who: formatList(names), count });
      return html`<li key=${key}>
        <button type="button" class="reaction" aria-pressed=${isMine} aria-label=${label} title=${label} onClick=${() => toggle(conversation, row, key)}>
          <bdi dir="auto">${shown}</bdi> <span class="number">${formatNumber(count)}</span>
        </button>
      </li>`;
    })}
    ${row.reactions.length > KINDS_SHOWN && html`<li class="soft small">${t("message.others", { count: row.reactions.length - KINDS_SHOWN })}</li>`}
  </ul>`;
}
