// The operator's page, for administrators of the server: its state, live, and its accounts and rooms.

import { useEffect, useState } from "preact/hooks";
import { OperatorStatusDocument, type OperatorStatusQuery } from "../../generated.js";
import { html } from "../../html.js";
import { useStore, useView } from "../../state/store.js";
import { reason } from "../../state/acting.js";
import { t } from "../../texts/index.js";
import { ScreenBar } from "../screen-bar.js";
import { Charts, type Sample } from "./charts.js";
import { Accounts, Rooms } from "./lists.js";
import { Models } from "./models.js";

export type Status = NonNullable<OperatorStatusQuery["admin"]>["status"];

/** The pause between two looks at the server. */
const EVERY_MS = 2000;
/** Looks that the charts show. */
const SAMPLES_MAX = 60;

export function Operator() {
  const viewer = useView("viewer");
  return html`<${ScreenBar} title=${t("operator.title")} />
    <div class="screen-body wide">
      ${viewer && (viewer.isAdmin ? html`<${Dashboard} />` : html`<p class="notice">${t("operator.forbidden")}</p>`)}
    </div>`;
}

function Dashboard() {
  const store = useStore();
  const [status, setStatus] = useState<Status | null>(null);
  const [samples, setSamples] = useState<readonly Sample[]>([]);
  const [trouble, setTrouble] = useState<string | null>(null);
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    let isShown = true;
    const look = async () => {
      try {
        const { admin } = await store.query(OperatorStatusDocument, {});
        if (!isShown || !admin) return;
        setStatus(admin.status);
        setTrouble(null);
        setSamples((before) => [...before.slice(1 - SAMPLES_MAX), { at: performance.now(), ...admin.status.counters }]);
      } catch (error) {
        if (isShown) setTrouble(reason(error));
      }
      // The next look begins after the answer: a slow server is not asked more often.
      if (isShown) timer = setTimeout(look, EVERY_MS);
    };
    void look();
    return () => {
      isShown = false;
      clearTimeout(timer);
    };
  }, [store]);
  return html`<div class="stack-large" aria-busy=${status === null}>
    ${trouble && html`<p class="notice bad" role="alert">${trouble}</p>`}
    ${status && html`<${Charts} status=${status} samples=${samples} /><${Models} status=${status} />`}
    <${Accounts} />
    <${Rooms} />
  </div>`;
}
