// The page of the timeline's tests: the real timeline over a store in memory, which the test reaches as `fake`.

import { render } from "preact";
import { html } from "../../../../crates/web/app/html.ts";
import { store } from "../../../../crates/web/app/state/store.ts";
import { Timeline } from "../../../../crates/web/app/timeline/timeline.ts";
import later from "../../../../crates/web/app/texts/en/later.ts";
import { learn } from "../../../../crates/web/app/texts/index.ts";
import { Composer } from "../../../../crates/web/app/composer/composer.ts";
import { FakeStore } from "./fake-store.mjs";

const options = JSON.parse(decodeURIComponent(location.hash.slice(1) || "{}"));
const fake = new FakeStore(options);
globalThis.fake = fake;
learn(later);
store.value = fake;
globalThis.show = (eventId = null) =>
  render(
    html`<main class="conversation" style="block-size: 100dvh; background: var(--paper)">
      <${Timeline} roomId=${fake.roomId} eventId=${eventId} /><${Composer} roomId=${fake.roomId} />
    </main>`,
    document.getElementById("app"),
  );
globalThis.show(options.eventId ?? null);
