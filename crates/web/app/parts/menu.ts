// A button that opens a menu: arrow keys move in it, Escape closes it, and the focus returns.

import { useEffect, useRef, useState } from "preact/hooks";
import { html } from "../html.js";
import { Icon, type IconName } from "./icon.js";

export interface MenuItem {
  text: string;
  icon?: IconName;
  kind?: "bad";
  /** For a choice: whether it holds. */
  isChecked?: boolean;
  onSelect: () => void;
}

interface MenuProps {
  label: string;
  icon?: IconName;
  items: readonly (MenuItem | null | false | undefined)[];
}

export function Menu({ label, icon = "more", items }: MenuProps) {
  const [isOpen, setOpen] = useState(false);
  const place = useRef<HTMLDivElement>(null);
  const shown = items.filter((item): item is MenuItem => Boolean(item));
  const entries = () => [...(place.current?.querySelectorAll<HTMLElement>('[role^="menuitem"]') ?? [])];
  useEffect(() => {
    if (!isOpen) return;
    entries()[0]?.focus();
    const onOutside = (event: PointerEvent) => !place.current?.contains(event.target as Node) && setOpen(false);
    addEventListener("pointerdown", onOutside);
    return () => removeEventListener("pointerdown", onOutside);
  }, [isOpen]);
  const close = () => {
    setOpen(false);
    place.current?.querySelector("button")?.focus();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (!isOpen) return;
    const all = entries();
    const at = all.indexOf(document.activeElement as HTMLElement);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1 + all.length, Home: 0, End: all.length - 1 }[event.key];
    if (to !== undefined) all[to % all.length]?.focus();
    else if (event.key === "Escape") close();
    else if (event.key === "Tab") return setOpen(false);
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  const select = (item: MenuItem) => {
    close();
    item.onSelect();
  };
  return html`<div class="menu" ref=${place} onKeyDown=${onKeyDown}>
    <button type="button" class="icon-button" aria-label=${label} title=${label} aria-haspopup="menu" aria-expanded=${isOpen}
      onClick=${() => setOpen(!isOpen)}><${Icon} name=${icon} /></button>
    ${isOpen &&
    html`<ul role="menu" class="menu-list" aria-label=${label}>
      ${shown.map(
        (item) => html`<li role="none">
          <button type="button" class=${`menu-item ${item.kind ?? ""}`} tabindex="-1" onClick=${() => select(item)}
            role=${item.isChecked === undefined ? "menuitem" : "menuitemradio"} aria-checked=${item.isChecked}>
            ${item.icon && html`<${Icon} name=${item.icon} />`}<span>${item.text}</span>
            ${item.isChecked && html`<${Icon} name="check" />`}
          </button>
        </li>`,
      )}
    </ul>`}
  </div>`;
}
