// The settings of the user: profile, status, appearance, password, ignored users.

import { useState } from "preact/hooks";
import { ChangePasswordDocument, SetProfileDocument, SetUserIgnoredDocument } from "../generated.js";
import { html } from "../html.js";
import { Avatar } from "../parts/avatar.js";
import { Button } from "../parts/button.js";
import { Check, Choice, Field } from "../parts/field.js";
import { toast } from "../parts/toast.js";
import { act, reason } from "../state/acting.js";
import { nameOf } from "../state/names.js";
import { useStore, useView } from "../state/store.js";
import { choose, theme, type Theme } from "../state/theme.js";
import { t } from "../texts/index.js";
import { ScreenBar } from "./screen-bar.js";
import { Languages } from "./welcome.js";

const THEMES = { system: "settings.themeSystem", light: "settings.themeLight", dark: "settings.themeDark", contrast: "settings.themeContrast" } as const;

export function Settings() {
  const viewer = useView("viewer");
  const me = useView(`person:${viewer?.userId ?? ""}`);
  return html`<${ScreenBar} title=${t("settings.title")} />
    <div class="screen-body"><div class="stack-large">
      ${viewer && html`<${Profile} key=${`${viewer.displayName}/${me?.statusMessage}`} viewer=${viewer} status=${me?.statusMessage ?? ""} />`}
      <section class="stack">
        <h2>${t("settings.appearance")}</h2>
        <${Choice} label=${t("settings.theme")} value=${theme.value} onChange=${(wanted: string) => choose(wanted as Theme)}
          options=${Object.entries(THEMES).map(([key, text]) => [key, t(text)] as const)} />
        <div class="field"><span class="label">${t("settings.language")}</span><${Languages} /></div>
      </section>
      <${Password} />
      ${viewer && viewer.ignored.length > 0 && html`<${Ignored} ignored=${viewer.ignored} />`}
      <p><a href="/about">${t("welcome.about")}</a></p>
    </div></div>`;
}

function Profile({ viewer, status }: { viewer: { userId: string; displayName: string | null }; status: string }) {
  const store = useStore();
  const [name, setName] = useState(viewer.displayName ?? "");
  const [message, setMessage] = useState(status);
  const save = async (event: Event) => {
    event.preventDefault();
    if (name !== (viewer.displayName ?? "") && !(await act(store, SetProfileDocument, { displayName: name.trim() || null }))) return;
    try {
      if (message !== status) await store.setPresence("ONLINE", message.trim());
      toast(t("settings.saved"));
    } catch (error) {
      toast(reason(error), "bad");
    }
  };
  const isChanged = name !== (viewer.displayName ?? "") || message !== status;
  return html`<form class="stack" onSubmit=${save}>
    <h2>${t("settings.profile")}</h2>
    <div class="row"><${Avatar} id=${viewer.userId} name=${nameOf({ displayName: name, userId: viewer.userId })} size="large" /><span class="soft one-line" dir="auto">${viewer.userId}</span></div>
    <${Field} label=${t("settings.displayName")} value=${name} onInput=${setName} isPeoples maxlength="255" autocomplete="nickname" />
    <${Field} label=${t("settings.status")} value=${message} onInput=${setMessage} isPeoples maxlength="200" hint=${t("settings.statusHint")} />
    <div><${Button} kind="main" type="submit" disabled=${!isChanged}>${t("app.save")}<//></div>
  </form>`;
}

function Password() {
  const store = useStore();
  const [before, setBefore] = useState("");
  const [after, setAfter] = useState("");
  const [others, setOthers] = useState(true);
  const save = async (event: Event) => {
    event.preventDefault();
    if (!(await act(store, ChangePasswordDocument, { password: before, newPassword: after, logOutOthers: others }))) return;
    setBefore("");
    setAfter("");
    toast(t("settings.passwordChanged"));
  };
  return html`<form class="stack" onSubmit=${save}>
    <h2>${t("settings.password")}</h2>
    <${Field} label=${t("settings.passwordNow")} type="password" value=${before} onInput=${setBefore} autocomplete="current-password" dir="ltr" />
    <${Field} label=${t("settings.passwordNew")} type="password" value=${after} onInput=${setAfter} autocomplete="new-password" dir="ltr" hint=${t("welcome.passwordHint")} />
    <${Check} checked=${others} onChange=${setOthers}>${t("settings.logOutOthers")}<//>
    <div><${Button} type="submit" disabled=${!before || !after}>${t("settings.passwordChange")}<//></div>
  </form>`;
}

function Ignored({ ignored }: { ignored: readonly string[] }) {
  const store = useStore();
  return html`<section class="stack">
    <h2>${t("settings.ignored")}</h2>
    <ul class="members">
      ${ignored.map(
        (userId) => html`<li key=${userId} class="member">
          <${Avatar} id=${userId} name=${userId} size="small" />
          <span class="grow one-line" dir="auto">${userId}</span>
          <${Button} onClick=${() => act(store, SetUserIgnoredDocument, { userId, isIgnored: false })}>${t("person.unignore")}<//>
        </li>`,
      )}
    </ul>
  </section>`;
}
