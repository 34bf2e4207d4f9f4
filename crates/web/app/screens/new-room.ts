// A new room, with all that it may have from the beginning.

import { useState } from "preact/hooks";
import { html } from "../html.js";
import { Check, Field } from "../parts/field.js";
import { PeoplePicker } from "../parts/people-picker.js";
import { t } from "../texts/index.js";
import { RoomForm } from "./room-form.js";
import { ScreenBar } from "./screen-bar.js";

export function NewRoom() {
  const [topic, setTopic] = useState("");
  const [isOpen, setOpen] = useState(false);
  const [isListed, setListed] = useState(false);
  const [people, setPeople] = useState<readonly string[]>([]);
  const more = { isListed: isOpen && isListed, invite: [...people], ...(topic.trim() && { topic: topic.trim() }) };
  return html`<${ScreenBar} title=${t("new.title")} />
    <div class="screen-body">
      <${RoomForm} more=${more} onOpen=${setOpen}>
        <${Check} checked=${isOpen && isListed} disabled=${!isOpen} onChange=${setListed}>${t("new.listed")}<//>
        <${Field} label=${t("new.topic")} value=${topic} onInput=${setTopic} isPeoples hint=${t("new.topicHint")} />
        <${PeoplePicker} label=${t("new.people")} chosen=${people} onChange=${setPeople} />
      <//>
    </div>`;
}
