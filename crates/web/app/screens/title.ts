// The title of the window: the place, and before it how many messages wait.

import { useEffect } from "preact/hooks";
import { route } from "../router.js";
import { useView } from "../state/store.js";
import { formatNumber, t } from "../texts/index.js";

export function Title() {
  const rooms = useView("home")?.rooms ?? [];
  const place = route.value;
  const waiting = rooms.reduce((sum, room) => sum + room.notificationCount, 0);
  const room = place.page === "room" ? rooms.find((it) => it.roomId === place.roomId) : undefined;
  const name = room ? `${room.displayName} · ${t("app.name")}` : t("app.name");
  useEffect(() => {
    document.title = waiting > 0 ? `(${formatNumber(waiting)}) ${name}` : name;
  }, [waiting, name]);
  return null;
}
