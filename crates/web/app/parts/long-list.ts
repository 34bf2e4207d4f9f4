// A long list of lines of one height: only those near the visible ones are in the page.
//
// Invariant: the page has at most `WINDOW` lines of it, and the height of the list is that of all lines.

import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { html } from "../html.js";
import type { VNode } from "preact";

/** Most lines in the page. */
const WINDOW = 80;
/** The window moves by this number of lines. */
const STEP = 20;

interface LongListProps<T> {
  class: string;
  items: readonly T[];
  /** Renders a line, an `li` with these properties. */
  line: (item: T, properties: { "aria-setsize": number; "aria-posinset": number }) => VNode;
  /** Called when the reader comes near the end. */
  onEnd?: () => void;
}

export function LongList<T>({ class: name, items, line, onEnd }: LongListProps<T>) {
  const list = useRef<HTMLUListElement>(null);
  const height = useRef(0);
  const [from, setFrom] = useState(0);
  const last = Math.max(0, items.length - WINDOW);
  const first = Math.min(from, last);
  const shown = items.slice(first, first + WINDOW);

  useLayoutEffect(() => {
    const element = list.current!;
    height.current = element.firstElementChild?.getBoundingClientRect().height || height.current;
    element.style.paddingBlockStart = `${first * height.current}px`;
    element.style.paddingBlockEnd = `${(items.length - first - shown.length) * height.current}px`;
  });

  useEffect(() => {
    const element = list.current!;
    const scroller = element.closest(".panel-body")!;
    const look = () => {
      if (height.current === 0) return;
      const above = scroller.getBoundingClientRect().top - element.getBoundingClientRect().top;
      const top = Math.floor(above / height.current);
      const visible = Math.ceil(scroller.clientHeight / height.current);
      // Half of the lines that are not visible are above.
      const wanted = top - Math.floor((WINDOW - visible) / 2);
      setFrom(Math.max(0, Math.min(last, Math.round(wanted / STEP) * STEP)));
      if (top + visible > items.length - WINDOW) onEnd?.();
    };
    look();
    scroller.addEventListener("scroll", look, { passive: true });
    return () => scroller.removeEventListener("scroll", look);
  }, [items.length, onEnd]);

  return html`<ul class=${name} ref=${list}>
    ${shown.map((item, index) => line(item, { "aria-setsize": items.length, "aria-posinset": first + index + 1 }))}
  </ul>`;
}
