// A labelled field of a form, with a hint or an error below it.

import { useId } from "preact/hooks";
import { html, type Children } from "../html.js";

interface FieldProps {
  label: string;
  value: string;
  onInput: (value: string) => void;
  hint?: string | undefined;
  error?: string | null | undefined;
  type?: "text" | "password" | "search" | "datetime-local";
  isLong?: boolean;
  /** Set when people's names or sentences go in. */
  isPeoples?: boolean;
  [attribute: string]: unknown;
}

export function Field({ label, value, onInput, hint, error, type = "text", isLong, isPeoples, ...others }: FieldProps) {
  const id = useId();
  const note = error ?? hint;
  const attributes = {
    id,
    value,
    onInput: (event: InputEvent) => onInput((event.target as HTMLInputElement).value),
    "aria-describedby": note ? `${id}-note` : undefined,
    "aria-invalid": error ? true : undefined,
    dir: isPeoples ? "auto" : undefined,
    ...others,
  };
  return html`<div class="field">
    <label for=${id}>${label}</label>
    ${isLong ? html`<textarea rows="3" ...${attributes}></textarea>` : html`<input type=${type} ...${attributes} />`}
    ${note && html`<p id=${`${id}-note`} class=${error ? "field-error" : "field-hint"}>${note}</p>`}
  </div>`;
}

interface ChoiceProps {
  label: string;
  value: string;
  options: readonly (readonly [value: string, text: string])[];
  onChange: (value: string) => void;
  disabled?: boolean;
}

/** One of a few values. */
export function Choice({ label, value, options, onChange, disabled = false }: ChoiceProps) {
  const id = useId();
  return html`<div class="field">
    <label for=${id}>${label}</label>
    <select id=${id} value=${value} disabled=${disabled} onChange=${(event: Event) => onChange((event.target as HTMLSelectElement).value)}>
      ${options.map(([key, text]) => html`<option key=${key} value=${key} selected=${key === value}>${text}</option>`)}
    </select>
  </div>`;
}

export function Check({ checked, onChange, children, disabled = false }: { checked: boolean; onChange: (on: boolean) => void; children?: Children; disabled?: boolean }) {
  return html`<label class="check">
    <input type="checkbox" checked=${checked} disabled=${disabled} onChange=${(event: Event) => onChange((event.target as HTMLInputElement).checked)} />
    <span>${children}</span>
  </label>`;
}
