// The form that creates a room: a name, and who may come in.

import { useState } from "preact/hooks";
import { CreateRoomDocument, type CreateRoomInput } from "../generated.js";
import { html, type Children } from "../html.js";
import { Button } from "../parts/button.js";
import { Check, Field } from "../parts/field.js";
import { go, pathTo } from "../router.js";
import { act } from "../state/acting.js";
import { useStore } from "../state/store.js";
import { t } from "../texts/index.js";

interface RoomFormProps {
  /** The name at the beginning: one click is enough. */
  name?: string;
  isOpen?: boolean;
  /** Further fields, and what they add to the input. */
  children?: Children;
  more?: Partial<CreateRoomInput>;
  onOpen?: (isOpen: boolean) => void;
}

export function RoomForm({ name: first = "", isOpen: isFirstOpen = false, children, more = {}, onOpen }: RoomFormProps) {
  const store = useStore();
  const [name, setName] = useState(first);
  const [isOpen, setOpen] = useState(isFirstOpen);
  const [isBusy, setBusy] = useState(false);
  const submit = async (event: Event) => {
    event.preventDefault();
    if (isBusy) return;
    setBusy(true);
    const created = await act(store, CreateRoomDocument, { name: name.trim(), preset: isOpen ? "PUBLIC" : "PRIVATE", ...more });
    setBusy(false);
    if (created?.room) go(pathTo.room(created.room.roomId));
  };
  return html`<form class="stack" onSubmit=${submit}>
    <${Field} label=${t("new.name")} value=${name} onInput=${setName} isPeoples required maxlength="255" />
    <${Check} checked=${isOpen} onChange=${(on: boolean) => (setOpen(on), onOpen?.(on))}>${t("new.open")}<//>
    ${children}
    <div class="row"><${Button} kind="main" type="submit" disabled=${isBusy}>${t("new.create")}<//></div>
  </form>`;
}
