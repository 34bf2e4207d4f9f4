// A modal dialog on the browser's own element: the focus stays inside, Escape closes it, and the focus returns.

import { useEffect, useId, useRef } from "preact/hooks";
import { html, type Children } from "../html.js";
import { t } from "../texts/index.js";
import { IconButton } from "./button.js";

interface DialogProps {
  title: string;
  onClose: () => void;
  children?: Children;
}

export function Dialog({ title, onClose, children }: DialogProps) {
  const element = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => {
    const before = document.activeElement as HTMLElement | null;
    element.current?.showModal();
    return () => before?.focus?.();
  }, []);
  const onClick = (event: MouseEvent) => event.target === element.current && onClose();
  return html`<dialog ref=${element} class="dialog" aria-labelledby=${id} onClose=${onClose} onClick=${onClick}>
    <div class="dialog-inner">
      <header class="row">
        <h2 id=${id} class="grow">${title}</h2>
        <${IconButton} icon="close" label=${t("app.close")} onClick=${onClose} />
      </header>
      ${children}
    </div>
  </dialog>`;
}
