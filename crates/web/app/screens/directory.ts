// The directory of the server: listed rooms, with search.

import { useEffect, useState } from "preact/hooks";
import { DirectoryDocument, type DirectoryQuery } from "../generated.js";
import { html } from "../html.js";
import { Avatar } from "../parts/avatar.js";
import { Button } from "../parts/button.js";
import { toast } from "../parts/toast.js";
import { pathTo } from "../router.js";
import { reason } from "../state/acting.js";
import { useStore } from "../state/store.js";
import { t } from "../texts/index.js";
import { ScreenBar } from "./screen-bar.js";

type Page = DirectoryQuery["publicRooms"];

const PAUSE_MS = 200;

export function Directory() {
  const store = useStore();
  const [search, setSearch] = useState("");
  const [page, setPage] = useState<Page | null>(null);
  const wanted = search.trim();
  const load = async (after: string | null) => {
    const { publicRooms } = await store.query(DirectoryDocument, { search: wanted || null, after });
    return publicRooms;
  };
  useEffect(() => {
    let isCurrent = true;
    const timer = setTimeout(
      () => load(null).then((first) => isCurrent && setPage(first), (error) => isCurrent && toast(reason(error), "bad")),
      page ? PAUSE_MS : 0,
    );
    return () => {
      isCurrent = false;
      clearTimeout(timer);
    };
  }, [wanted]);
  const more = async () => {
    const next = await load(page!.pageInfo.endCursor);
    setPage({ ...next, nodes: [...page!.nodes, ...next.nodes] });
  };
  return html`<${ScreenBar} title=${t("directory.title")} />
    <div class="screen-body"><div class="stack">
      <input class="search" type="search" dir="auto" value=${search} aria-label=${t("directory.search")} placeholder=${t("directory.search")}
        onInput=${(event: InputEvent) => setSearch((event.target as HTMLInputElement).value)} />
      <p class="soft" role="status">${page ? t("directory.count", { count: page.totalCount }) : t("app.loading")}</p>
      <ul class="cards">${page?.nodes.map((room) => html`<${Listed} key=${room.roomId} room=${room} />`)}</ul>
      ${page?.pageInfo.hasNextPage && html`<div><${Button} onClick=${more}>${t("directory.more")}<//></div>`}
    </div></div>`;
}

function Listed({ room }: { room: Page["nodes"][number] }) {
  return html`<li>
    <a class="card row" href=${pathTo.room(room.roomId)}>
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
