// A message of this device whose event has not come yet: waiting, on its way, or refused.

import type { Echo } from "rookery-client/store";
import { html } from "../html.js";
import { Avatar } from "../parts/avatar.js";
import { Button } from "../parts/button.js";
import { Icon } from "../parts/icon.js";
import { t } from "../texts/index.js";
import { Body } from "./body.js";
import { localpart } from "../state/names.js";
import type { Conversation } from "./conversation.js";

const STATES = { queued: "echo.queued", sending: "echo.sending", refused: "echo.refused" } as const;

export function EchoMessage({ echo, conversation }: { echo: Echo; conversation: Conversation }) {
  const { store, viewerId } = conversation;
  const own = store.get("viewer");
  const name = own?.displayName ?? localpart(viewerId ?? "");
  return html`<article class=${`message own echo-message ${echo.state}`}>
    <div class="gutter"><${Avatar} id=${viewerId ?? ""} name=${name} /></div>
    <div class="content">
      <header class="head"><bdi dir="auto" class="name">${name}</bdi> <span class="soft small">${echo.state === "sending" ? "" : t(STATES[echo.state])}</span></header>
      <${Body} content=${echo.content} isEdited=${false} />
      ${echo.state === "refused" &&
      html`<div class="refusal" role="alert">
        <span class="field-error">${echo.refusal?.message ?? t("echo.refused")}</span>
        <${Button} onClick=${() => void store.retry(echo.echoId)}>${t("app.retry")}<//>
        <${Button} onClick=${() => void store.discard(echo.echoId)}>${t("echo.discard")}<//>
      </div>`}
      ${echo.state === "queued" && html`<span class="unseen"><${Icon} name="send" />${t("echo.queued")}</span>`}
    </div>
  </article>`;
}
