// Buttons: with a text, or with an icon alone.

import { html, type Children } from "../html.js";
import { Icon, type IconName } from "./icon.js";

interface ButtonProps {
  children?: Children;
  /** Its purpose: `main` once on a screen, `bad` for actions that cannot be undone. */
  kind?: "main" | "plain" | "bad" | "link";
  type?: "button" | "submit";
  disabled?: boolean;
  onClick?: (event: MouseEvent) => void;
  [attribute: `aria-${string}`]: string | boolean | undefined;
}

export function Button({ kind = "plain", type = "button", children, ...others }: ButtonProps) {
  return html`<button type=${type} class=${`button ${kind}`} ...${others}>${children}</button>`;
}

interface IconButtonProps {
  icon: IconName;
  /** The name for screen readers, and the tip. */
  label: string;
  pressed?: boolean | undefined;
  disabled?: boolean;
  class?: string;
  onClick?: (event: MouseEvent) => void;
  [attribute: `aria-${string}`]: string | boolean | undefined;
}

export function IconButton({ icon, label, pressed, class: own = "", ...others }: IconButtonProps) {
  return html`<button type="button" class=${`icon-button ${own}`} aria-label=${label} title=${label} aria-pressed=${pressed} ...${others}>
    <${Icon} name=${icon} />
  </button>`;
}
