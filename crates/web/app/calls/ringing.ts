// The card of a call that rings here: who calls, answer, reject.

import { useEffect, useRef } from "preact/hooks";
import type { CallView } from "rookery-client/store";
import { html } from "../html.js";
import { Avatar } from "../parts/avatar.js";
import { Button } from "../parts/button.js";
import { Icon } from "../parts/icon.js";
import { t } from "../texts/index.js";
import type { Phone } from "./phone.js";

export function Ringing({ phone, call }: { phone: Phone; call: CallView }) {
  const card = useRef<HTMLElement>(null);
  const who = phone.nameOf(call.callerId);
  const isVideo = call.media === "VIDEO";
  const isBusy = phone.isBusy.value;
  useEffect(() => {
    // Somebody who writes keeps the focus: a key of theirs must not answer a call.
    const active = document.activeElement;
    if (!active || active === document.body) card.current?.focus();
  }, []);
  return html`<section ref=${card} class="call-card ringing" role="alertdialog" tabindex="-1" aria-label=${t("call.title", { who })}>
    <div class="row">
      <${Avatar} id=${call.callerId} name=${who} />
      <div class="grow">
        <p class="name"><bdi dir="auto">${who}</bdi></p>
        <p class="small soft">${t(isVideo ? "call.rings.video" : "call.rings.audio")}</p>
      </div>
    </div>
    <div class="call-ends">
      <${Button} kind="bad" disabled=${isBusy} onClick=${() => void phone.reject()}><${Icon} name="hangUp" />${t("call.reject")}<//>
      ${isVideo && html`<${Button} disabled=${isBusy} onClick=${() => void phone.answer(false)}><${Icon} name="phone" />${t("call.answer.audio")}<//>`}
      <${Button} kind="main" disabled=${isBusy} onClick=${() => void phone.answer(isVideo)}>
        <${Icon} name=${isVideo ? "camera" : "phone"} />${t("call.answer")}<//>
    </div>
  </section>`;
}
