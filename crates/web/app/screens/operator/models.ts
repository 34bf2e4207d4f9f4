// The read models with their lag, the rebuild, and what is parked.

import { useState } from "preact/hooks";
import { RebuildReadModelsDocument, RetryParkedStreamsDocument } from "../../generated.js";
import { html } from "../../html.js";
import { Button } from "../../parts/button.js";
import { toast } from "../../parts/toast.js";
import { act } from "../../state/acting.js";
import { useStore } from "../../state/store.js";
import { formatNumber, t } from "../../texts/index.js";
import type { Status } from "./operator.js";

export function Models({ status }: { status: Status }) {
  const store = useStore();
  const { rebuild, readModels, processes, parkedStreams } = status;
  const [isBusy, setBusy] = useState(false);
  const start = async () => {
    if (await act(store, RebuildReadModelsDocument, {})) toast(t("operator.rebuildBegun"));
  };
  const retry = async () => {
    setBusy(true);
    const answer = await act(store, RetryParkedStreamsDocument, {});
    setBusy(false);
    if (answer) toast(t("operator.retried", { count: answer.applied }));
  };
  return html`<section class="stack">
    <div class="row"><h2 class="grow">${t("operator.models")}</h2>
      <${Button} onClick=${start} disabled=${rebuild !== null}>${t("operator.rebuild")}<//></div>
    ${rebuild && html`<${Bar} rebuild=${rebuild} />`}
    <div class="scrolls" tabindex="0" role="region" aria-label=${t("operator.models")}>
      <table class="table">
        <thead><tr><th scope="col">${t("operator.name")}</th><th scope="col" class="number">${t("operator.behind")}</th><th scope="col" class="number">${t("operator.parked")}</th></tr></thead>
        <tbody>
          ${readModels.map(
            (model) => html`<tr key=${model.name}><th scope="row"><code dir="auto">${model.name}</code></th>
              <td class=${`number ${model.behind > 0 ? "late" : ""}`}>${formatNumber(model.behind)}</td>
              <td class=${`number ${model.parkedCount > 0 ? "late" : ""}`}>${formatNumber(model.parkedCount)}</td></tr>`,
          )}
          ${processes.map(
            (process) => html`<tr key=${`process ${process.name}`}><th scope="row">${t("operator.process", { name: process.name })}
              ${process.trouble && html`<p class="field-error" dir="auto">${process.trouble}</p>`}</th>
              <td class=${`number ${process.trouble ? "late" : ""}`}>${formatNumber(process.behind)}</td><td class="number">${formatNumber(process.skipped)}</td></tr>`,
          )}
        </tbody>
      </table>
    </div>
    ${parkedStreams.length > 0 &&
    html`<div class="row"><h3 class="grow">${t("operator.parkedTitle")}</h3><${Button} onClick=${retry} disabled=${isBusy}>${t("operator.retry")}<//></div>
      <ul class="cards">
        ${parkedStreams.map(
          ({ model, stream, position, reason }) => html`<li class="card" key=${`${model} ${stream}`}>
            <strong dir="auto">${stream}</strong>
            <p class="soft small">${t("operator.parkedAt", { model, position })}</p>
            <p dir="auto">${reason}</p>
          </li>`,
        )}
      </ul>`}
  </section>`;
}

function Bar({ rebuild }: { rebuild: NonNullable<Status["rebuild"]> }) {
  const { done, total, secondsLeft } = rebuild;
  const text = t("operator.rebuilding", { done, total, seconds: Math.ceil(secondsLeft) });
  return html`<div class="stack-small">
    <progress class="progress" max=${Math.max(1, total)} value=${done} aria-label=${t("operator.rebuild")}></progress>
    <p class="soft small">${text}</p>
  </div>`;
}
