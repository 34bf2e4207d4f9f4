// The list of members or emoji above the field. The focus stays in the field; arrow keys move in the list.

import { useEffect, useRef } from "preact/hooks";
import { html } from "../html.js";
import { readable } from "../messages/body.js";
import { Avatar } from "../parts/avatar.js";
import { t } from "../texts/index.js";
import type { Asked, Choice } from "./complete.js";

interface ChoicesProps {
  id: string;
  choices: readonly Choice[];
  at: number;
  kind: Asked["kind"];
  onChoose: (choice: Choice) => void;
}

export function Choices({ id, choices, at, kind, onChoose }: ChoicesProps) {
  const list = useRef<HTMLUListElement>(null);
  const current = Math.min(at, choices.length - 1);
  useEffect(() => list.current?.children[current]?.scrollIntoView({ block: "nearest" }), [current]);
  // The pointer must not take the focus out of the field.
  const keepFocus = (event: Event) => event.preventDefault();
  return html`<ul id=${id} ref=${list} class="choices" role="listbox" aria-label=${t(kind === "member" ? "composer.members" : "composer.emoji")} onPointerDown=${keepFocus}>
    ${choices.map(
      (choice, index) => html`<li key=${choice.detail} id=${`${id}-${index}`} role="option" aria-selected=${index === current} class="choice" onClick=${() => onChoose(choice)}>
        ${choice.userId === null ? html`<span class="emoji">${choice.label}</span>` : html`<${Avatar} id=${choice.userId} name=${choice.label} size="small" /><bdi dir="auto">${readable(choice.label)}</bdi>`}
        <span class="soft small one-line" dir="auto">${choice.detail}</span>
      </li>`,
    )}
  </ul>`;
}
