// Chooses users: a search among those of the server, and the chosen ones.

import { useEffect, useId, useState } from "preact/hooks";
import { FindUsersDocument } from "../generated.js";
import { html } from "../html.js";
import { nameOf } from "../state/names.js";
import { useStore } from "../state/store.js";
import { t } from "../texts/index.js";
import { Avatar } from "./avatar.js";
import { Field } from "./field.js";
import { Icon } from "./icon.js";

interface Found {
  userId: string;
  displayName: string | null;
}

interface PickerProps {
  label: string;
  chosen: readonly string[];
  onChange: (chosen: readonly string[]) => void;
}

/** The pause after the last key before it searches. */
const PAUSE_MS = 200;

export function PeoplePicker({ label, chosen, onChange }: PickerProps) {
  const store = useStore();
  const [search, setSearch] = useState("");
  const [found, setFound] = useState<readonly Found[]>([]);
  const list = useId();
  const wanted = search.trim();
  useEffect(() => {
    setFound([]);
    if (!wanted) return;
    let isCurrent = true;
    const timer = setTimeout(async () => {
      const { users } = await store.query(FindUsersDocument, { search: wanted });
      if (isCurrent) setFound(users.nodes);
    }, PAUSE_MS);
    return () => {
      isCurrent = false;
      clearTimeout(timer);
    };
  }, [wanted]);
  const choose = (userId: string) => {
    if (!chosen.includes(userId)) onChange([...chosen, userId]);
    setSearch("");
  };
  const isId = /^@[^:\s]+:\S+$/.test(wanted);
  const offered: readonly Found[] = isId && !found.some((it) => it.userId === wanted) ? [...found, { userId: wanted, displayName: null }] : found;
  return html`<div class="picker">
    <${Field} label=${label} type="search" value=${search} onInput=${setSearch} hint=${t("people.searchHint")} isPeoples autocomplete="off" />
    ${offered.length > 0 &&
    html`<ul id=${list} class="picker-list" aria-label=${t("people.found")}>
      ${offered.map(
        ({ userId, displayName }) => html`<li key=${userId}>
          <button type="button" class="list-item" onClick=${() => choose(userId)}>
            <${Avatar} id=${userId} name=${nameOf({ displayName, userId })} size="small" />
            <span class="one-line" dir="auto">${nameOf({ displayName, userId })}</span>
            <span class="soft small one-line" dir="auto">${userId}</span>
          </button>
        </li>`,
      )}
    </ul>`}
    ${chosen.length > 0 &&
    html`<ul class="chips" aria-label=${t("people.chosen")}>
      ${chosen.map(
        (userId) => html`<li key=${userId} class="chip">
          <span class="one-line" dir="auto">${userId}</span>
          <button type="button" aria-label=${t("people.remove", { name: userId })} onClick=${() => onChange(chosen.filter((it) => it !== userId))}>
            <${Icon} name="close" />
          </button>
        </li>`,
      )}
    </ul>`}
  </div>`;
}
