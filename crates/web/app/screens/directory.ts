// The directory of a server: listed rooms, with search. A text that names a room leads to it, wherever that is.

import { useEffect, useState } from "preact/hooks";
import { DirectoryDocument, type DirectoryQuery } from "../generated.js";
import { html } from "../html.js";
import { Avatar } from "../parts/avatar.js";
import { Button } from "../parts/button.js";
import { Field } from "../parts/field.js";
import { toast } from "../parts/toast.js";
import { pathTo } from "../router.js";
import { reason } from "../state/acting.js";
import { see } from "../state/joining.js";
import { namedBy, pathOf, type Named } from "../state/named.js";
import { useStore } from "../state/store.js";
import { t } from "../texts/index.js";
import { ScreenBar } from "./screen-bar.js";

type Page = DirectoryQuery["publicRooms"];

const PAUSE_MS = 200;
/** Another server is asked once its name seems to be whole. */
const PAUSE_ELSEWHERE_MS = 600;

export function Directory() {
  const store = useStore();
  const [search, setSearch] = useState("");
  const [elsewhere, setElsewhere] = useState("");
  const [page, setPage] = useState<Page | null>(null);
  const [failure, setFailure] = useState<string | null>(null);
  const wanted = search.trim();
  const server = elsewhere.trim() || null;
  const named = namedBy(wanted);
  const load = async (after: string | null) => {
    const { publicRooms } = await store.query(DirectoryDocument, { search: wanted || null, after, server });
    return publicRooms;
  };
  useEffect(() => {
    let isCurrent = true;
    const show = (first: Page | null, why: string | null) => {
      if (!isCurrent) return;
      setPage(first);
      setFailure(why);
    };
    const pause = server ? PAUSE_ELSEWHERE_MS : page ? PAUSE_MS : 0;
    const timer = setTimeout(() => {
      if (server) show(null, null);
      load(null).then((first) => show(first, null), (error) => show(null, reason(error)));
    }, pause);
    return () => {
      isCurrent = false;
      clearTimeout(timer);
    };
  }, [wanted, server]);
  const more = async () => {
    try {
      const next = await load(page!.pageInfo.endCursor);
      setPage({ ...next, nodes: [...page!.nodes, ...next.nodes] });
    } catch (error) {
      toast(reason(error), "bad");
    }
  };
  const status = failure ?? (page ? t("directory.count", { count: page.totalCount }) : t("app.loading"));
  return html`<${ScreenBar} title=${server ? t("directory.titleOf", { server }) : t("directory.title")} />
    <div class="screen-body"><div class="stack">
      <input class="search" type="search" dir="auto" value=${search} aria-label=${t("directory.search")} placeholder=${t("directory.search")}
        onInput=${(event: InputEvent) => setSearch((event.target as HTMLInputElement).value)} />
      <details class="elsewhere" open=${server !== null}>
        <summary>${t("directory.elsewhere")}</summary>
        <${Field} label=${t("directory.server")} value=${elsewhere} onInput=${setElsewhere} hint=${t("directory.serverHint")} dir="ltr" autocapitalize="none" spellcheck=${false} autocomplete="off" />
      </details>
      ${named && html`<${Address} named=${named} />`}
      <p class=${failure ? "notice warn" : "soft"} role="status">${status}</p>
      <ul class="cards">${page?.nodes.map((room) => html`<${Listed} key=${room.roomId} room=${room} server=${server} />`)}</ul>
      ${page?.pageInfo.hasNextPage && html`<div><${Button} onClick=${more}>${t("directory.more")}<//></div>`}
    </div></div>`;
}

/** The way to the room or the user that the search names. */
function Address({ named }: { named: Named }) {
  const { place } = named;
  return html`<a class="card row" href=${pathOf(named)}>
    <${Avatar} id=${place} name=${place.slice(1)} isRoom=${!place.startsWith("@")} />
    <span class="grow stack-tight"><strong class="one-line" dir="ltr">${place}</strong><span class="soft small">${t("directory.open")}</span></span>
  </a>`;
}

function Listed({ room, server }: { room: Page["nodes"][number]; server: string | null }) {
  const isElsewhere = server !== null && room.myMembership !== "JOIN";
  const place = isElsewhere ? (room.canonicalAlias ?? room.roomId) : room.roomId;
  if (isElsewhere) see(place, room);
  return html`<li>
    <a class="card row" href=${pathTo.roomVia(place, isElsewhere ? [server] : [])}>
      <${Avatar} id=${room.roomId} name=${room.displayName} isRoom />
      <span class="grow stack-tight">
        <span class="row"><strong class="one-line" dir="auto">${room.displayName}</strong>
          ${room.canonicalAlias && html`<span class="soft small one-line" dir="auto">${room.canonicalAlias}</span>`}</span>
        ${room.topic && html`<span class="one-line" dir="auto">${room.topic}</span>`}
        <span class="soft small">${t("room.members", { count: room.memberCount ?? 0 })}${room.myMembership === "JOIN" && html` · ${t("directory.joined")}`}</span>
      </span>
    </a>
  </li>`;
}
