// Elements as tagged templates: html`<p>${text}</p>`.

import htm from "htm";
import { h, type ComponentChildren, type VNode } from "preact";

type Template = (strings: TemplateStringsArray, ...values: unknown[]) => VNode;

export const html = htm.bind(h) as unknown as Template;

export type Children = ComponentChildren;
