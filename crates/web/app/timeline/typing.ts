// The users who are typing, on a line that is always there, so that nothing moves.

import type { UserId } from "rookery-client/store";
import { html } from "../html.js";
import { readable } from "../messages/body.js";
import { formatList, t } from "../texts/index.js";

const NAMES_SHOWN = 3;

export function Typing({ typing, nameOf }: { typing: readonly UserId[]; nameOf: (userId: UserId) => string }) {
  const names = typing.slice(0, NAMES_SHOWN).map((userId) => readable(nameOf(userId)).slice(0, 40));
  const text = typing.length > NAMES_SHOWN ? t("typing.many", { count: typing.length }) : t("typing.some", { who: formatList(names), count: names.length });
  return html`<p class="typing small soft one-line" aria-live="off">${typing.length > 0 && html`<span class="dots" aria-hidden="true"></span>${text}`}</p>`;
}
