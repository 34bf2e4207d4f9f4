// Light or dark, and contrast: the choice of the reader, or that of the system.

import { local } from "./local.js";
import { signal } from "@preact/signals";

export type Theme = "system" | "light" | "dark" | "contrast";

const CHOICE = "rookery.theme";
const systemContrast = () => matchMedia("(prefers-contrast: more)");

export const theme = signal<Theme>("system");

export function choose(wanted: Theme, { keep = true } = {}): void {
  if (keep) local.set(CHOICE, wanted);
  theme.value = wanted;
  apply();
}

/** Applies the stored choice, and follows the system. */
export function begin(): void {
  const wanted = new URLSearchParams(location.search).get("theme") ?? local.get(CHOICE) ?? "system";
  choose(["light", "dark", "contrast"].includes(wanted) ? (wanted as Theme) : "system", { keep: false });
  systemContrast().addEventListener("change", apply);
}

function apply(): void {
  const { dataset } = document.documentElement;
  const chosen = theme.value;
  dataset.theme = chosen === "light" || chosen === "dark" ? chosen : "system";
  dataset.contrast = chosen === "contrast" || systemContrast().matches ? "more" : "";
}
