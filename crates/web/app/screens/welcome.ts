// First visit: create an account or log in. A link to a room stays in the address, and leads there afterwards.

import { useEffect, useId, useState } from "preact/hooks";
import { LogInDocument, RegisterDocument, type RegisterInput } from "../generated.js";
import { html } from "../html.js";
import { Button } from "../parts/button.js";
import { Field } from "../parts/field.js";
import { route } from "../router.js";
import { reason } from "../state/acting.js";
import { ask } from "../state/ask.js";
import { joinAfterLogin } from "../state/joining.js";
import { local } from "../state/local.js";
import { ended } from "../state/opening.js";
import { hadAccount, keep } from "../state/session.js";
import { LANGUAGES, language, speak, t, type Language } from "../texts/index.js";

type Way = "register" | "logIn";

interface Login {
  token: string | null;
  deviceId: string | null;
  user: { userId: string } | null;
  refusal: { code: string; message: string; field: string | null } | null;
}

export function Welcome() {
  const [way, setWay] = useState<Way>(ended.value === null && !hadAccount() ? "register" : "logIn");
  const [username, setUsername] = useState("");
  const [password, setPassword] = useState("");
  const [refusal, setRefusal] = useState<Login["refusal"] | null>(null);
  const [isBusy, setBusy] = useState(false);
  const headline = useId();
  const hasLink = route.value.page === "room";

  useEffect(() => void (document.title = t("app.name")), [language()]);

  const submit = async (event: Event) => {
    event.preventDefault();
    if (isBusy) return;
    setBusy(true);
    setRefusal(null);
    try {
      const input: RegisterInput = { username: username.trim(), password, deviceName: deviceName() };
      const document = way === "register" ? RegisterDocument : LogInDocument;
      const data = await ask<Record<string, Login>>(String(document), { input });
      const { token, deviceId, user, refusal } = data[way]!;
      if (!token || !deviceId || !user) {
        setRefusal(refusal);
        return;
      }
      if (hasLink) joinAfterLogin();
      keep({ token, deviceId, userId: user.userId, since: Date.now() });
    } catch (error) {
      const { code = "", message = "" } = error as Partial<NonNullable<Login["refusal"]>>;
      setRefusal({ code, message, field: null });
    } finally {
      setBusy(false);
    }
  };

  const errorOf = (field: string) => (refusal?.field?.endsWith(field) ? reason(refusal) : null);
  const general = refusal && !errorOf("username") && !errorOf("password") ? reason(refusal) : null;
  const isNew = way === "register";
  return html`<main class="welcome" aria-labelledby=${headline}>
    <div class="welcome-card">
      <header class="welcome-head">
        <img src="/favicon.svg" alt="" width="48" height="48" />
        <h1 id=${headline}>${isNew ? t("welcome.title") : t("welcome.titleBack")}</h1>
        <p class="soft">${hasLink ? t("welcome.leadLink") : isNew ? t("welcome.lead") : t("welcome.leadBack")}</p>
      </header>
      ${ended.value !== null && html`<p class="notice warn" role="status">${t("welcome.ended")}</p>`}
      ${local.isDenied() && html`<p class="notice warn" role="status">${t("welcome.notStored")}</p>`}
      ${general && html`<p class="notice bad" role="alert">${general}</p>`}
      <form class="stack" onSubmit=${submit}>
        <${Field} label=${t("welcome.username")} value=${username} onInput=${setUsername} error=${errorOf("username")} name="username"
          hint=${isNew ? t("welcome.usernameHint") : undefined} autocomplete="username" autocapitalize="none" spellcheck=${false} required dir="ltr" />
        <${Field} label=${t("welcome.password")} type="password" value=${password} onInput=${setPassword} error=${errorOf("password")}
          hint=${isNew ? t("welcome.passwordHint") : undefined} name="password" autocomplete=${isNew ? "new-password" : "current-password"} required dir="ltr" />
        <${Button} kind="main" type="submit" disabled=${isBusy}>${label(way, hasLink)}<//>
      </form>
      <p class="welcome-other">
        ${isNew ? t("welcome.haveAccount") : t("welcome.noAccount")}${" "}
        <${Button} kind="link" onClick=${() => (setWay(isNew ? "logIn" : "register"), setRefusal(null))}>
          ${isNew ? t("welcome.logIn") : t("welcome.register")}
        <//>
      </p>
    </div>
    <footer class="welcome-foot">
      <${Languages} />
      <a href="/about">${t("welcome.about")}</a>
    </footer>
  </main>`;
}

function label(way: Way, hasLink: boolean): string {
  if (way === "register") return hasLink ? t("welcome.registerAndJoin") : t("welcome.register");
  return hasLink ? t("welcome.logInAndJoin") : t("welcome.logIn");
}

/** The buttons that change the language. */
export function Languages() {
  const choose = (wanted: Language) => void speak(wanted, { keep: true });
  return html`<ul class="languages" aria-label=${t("settings.language")}>
    ${Object.entries(LANGUAGES).map(
      ([key, name]) => html`<li key=${key}>
        <button type="button" class="button link" dir="auto" lang=${key} aria-current=${language() === key ? "true" : undefined} onClick=${() => choose(key as Language)}>
          ${name}
        </button>
      </li>`,
    )}
  </ul>`;
}

/** The name of this login in the list of devices, such as "Firefox, Linux". */
function deviceName(): string {
  const agent = navigator.userAgent;
  const browser = ["Edg", "Firefox", "Chrome", "Safari"].find((name) => agent.includes(name)) ?? "";
  const system = ["Android", "iPhone", "iPad", "Windows", "Macintosh", "Linux"].find((name) => agent.includes(name)) ?? "";
  const names: Record<string, string> = { Edg: "Edge", Macintosh: "Mac" };
  return [browser, system].filter(Boolean).map((name) => names[name] ?? name).join(", ") || "Browser";
}
