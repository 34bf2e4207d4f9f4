// Starts a page: language, theme and session first, then the screens.

import { render } from "preact";
import { html } from "./html.js";
import { listen, route } from "./router.js";
import { App } from "./screens/app.js";
import { loadMore } from "./screens/later.js";
import { follow } from "./state/opening.js";
import * as session from "./state/session.js";
import * as theme from "./state/theme.js";
import { preferred, speak } from "./texts/index.js";

export async function start(): Promise<void> {
  theme.begin();
  session.begin();
  listen();
  follow();
  if (route.value.page === "room" && session.session.value) void loadMore();
  await speak(preferred());
  render(html`<${App} />`, document.getElementById("app")!);
}
