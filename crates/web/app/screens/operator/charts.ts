// The present work of the server: figures, with a line for the last two minutes.

import { html } from "../../html.js";
import { formatNumber, t, type TextName } from "../../texts/index.js";
import type { Status } from "./operator.js";

/** The counters at a moment. */
export interface Sample {
  at: number;
  appends: number;
  deliveries: number;
  streams: number;
  sockets: number;
}

/** The size of a chart, in its own units. */
const [WIDTH, HEIGHT] = [240, 56];

export function Charts({ status, samples }: { status: Status; samples: readonly Sample[] }) {
  return html`<section class="stack">
    <h2>${t("operator.now")}</h2>
    <div class="figures">
      <${Figure} name="operator.appends" values=${rates(samples, "appends")} isRate />
      <${Figure} name="operator.deliveries" values=${rates(samples, "deliveries")} isRate />
      <${Figure} name="operator.sockets" values=${samples.map((sample) => sample.sockets)} />
      <${Figure} name="operator.streams" values=${samples.map((sample) => sample.streams)} />
    </div>
    <dl class="facts">
      <div><dt>${t("operator.logPosition")}</dt><dd>${formatNumber(status.logPosition)}</dd></div>
      <div><dt>${t("operator.accounts")}</dt><dd>${formatNumber(status.accountCount)}</dd></div>
      <div><dt>${t("operator.rooms")}</dt><dd>${formatNumber(status.roomCount)}</dd></div>
    </dl>
  </section>`;
}

/** How much a counter grows in a second, between each two looks. */
export function rates(samples: readonly Sample[], counter: "appends" | "deliveries"): number[] {
  return samples.slice(1).map((sample, index) => {
    const before = samples[index]!;
    // After a restart of the server it begins again.
    return Math.max(0, ((sample[counter] - before[counter]) * 1000) / (sample.at - before.at));
  });
}

function Figure({ name, values, isRate = false }: { name: TextName; values: readonly number[]; isRate?: boolean }) {
  const now = values.at(-1) ?? 0;
  const shown = formatNumber(isRate ? Math.round(now * 10) / 10 : now);
  return html`<figure class="figure">
    <figcaption class="soft small">${t(name)}</figcaption>
    <p class="figure-now">${isRate ? t("operator.perSecond", { rate: shown }) : shown}</p>
    <svg viewBox=${`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" aria-hidden="true"><polyline points=${line(values)} /></svg>
  </figure>`;
}

function line(values: readonly number[]): string {
  const top = Math.max(1, ...values);
  const step = WIDTH / Math.max(1, values.length - 1);
  return values.map((value, index) => `${(index * step).toFixed(1)},${(HEIGHT - 2 - (value / top) * (HEIGHT - 4)).toFixed(1)}`).join(" ");
}
