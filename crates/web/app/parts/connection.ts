// How the chat is connected: nothing while all is well, else a line that says what is missing.

import { useEffect, useState } from "preact/hooks";
import { html } from "../html.js";
import { useView } from "../state/store.js";
import { t } from "../texts/index.js";

export function Connection() {
  const status = useView("status");
  const now = useSeconds(status?.phase === "offline");
  const text = textOf(status, now);
  const phase = status?.phase ?? "connecting";
  return html`<p class=${`connection ${phase}`} role="status" data-phase=${phase} hidden=${!text}>
    ${text && html`<span class="connection-dot"></span><span>${text}</span>`}
  </p>`;
}

function textOf(status: ReturnType<typeof useView<"status">>, now: number): string | null {
  switch (status?.phase) {
    case undefined:
    case "ended":
      return null;
    case "live":
      return status.unsent > 0 ? t("status.unsent", { count: status.unsent }) : null;
    case "connecting":
      return t("status.connecting");
    case "catchingUp":
      return t("status.catchingUp", { count: status.caughtUp });
    case "offline": {
      const seconds = status.retryAt === null ? 0 : Math.ceil((status.retryAt - now) / 1000);
      const offline = seconds > 1 ? t("status.offlineRetry", { count: seconds }) : t("status.offline");
      return status.unsent > 0 ? `${offline} ${t("status.unsent", { count: status.unsent })}` : offline;
    }
  }
}

/** The time, once a second while it is needed. */
function useSeconds(isNeeded: boolean): number {
  const [now, setNow] = useState(Date.now());
  useEffect(() => {
    if (!isNeeded) return;
    setNow(Date.now());
    const timer = setInterval(() => setNow(Date.now()), 1000);
    return () => clearInterval(timer);
  }, [isNeeded]);
  return now;
}
