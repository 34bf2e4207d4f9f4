// Inviting users to a room.

import { useState } from "preact/hooks";
import { InviteUserDocument } from "../../generated.js";
import { html } from "../../html.js";
import { Button } from "../../parts/button.js";
import { Dialog } from "../../parts/dialog.js";
import { PeoplePicker } from "../../parts/people-picker.js";
import { toast } from "../../parts/toast.js";
import { act } from "../../state/acting.js";
import { useStore } from "../../state/store.js";
import { t } from "../../texts/index.js";

export function Invite({ roomId, onClose }: { roomId: string; onClose: () => void }) {
  const store = useStore();
  const [people, setPeople] = useState<readonly string[]>([]);
  const invite = async () => {
    onClose();
    const answers = await Promise.all(people.map((userId) => act(store, InviteUserDocument, { roomId, userId })));
    const count = answers.filter((it) => it && !it.isPending).length;
    if (answers.some((it) => it?.isPending)) toast(t("remote.inviteWaits"));
    if (count > 0) toast(t("members.invited", { count }));
  };
  return html`<${Dialog} title=${t("members.inviteTitle")} onClose=${onClose}>
    <${PeoplePicker} label=${t("new.people")} chosen=${people} onChange=${setPeople} />
    <div class="dialog-ends">
      <${Button} onClick=${onClose}>${t("app.cancel")}<//>
      <${Button} kind="main" disabled=${people.length === 0} onClick=${invite}>${t("members.invite")}<//>
    </div>
  <//>`;
}
