// The list of rooms: invites, favourites, rooms and people, each with the newest activity first.

import { useEffect, useState } from "preact/hooks";
import type { RoomSummary } from "rookery-client/store";
import { html } from "../html.js";
import { Connection } from "../parts/connection.js";
import { Icon } from "../parts/icon.js";
import { useView } from "../state/store.js";
import { t, type TextName } from "../texts/index.js";
import { Invites } from "./invites.js";
import { loadMore } from "./later.js";
import { RoomLine } from "./room-line.js";
import { ViewerMenu } from "./viewer-menu.js";
import { Waiting } from "./waiting.js";

/** Most lines of a part before "show all". A list of a thousand rooms stays as fast as one of twenty. */
const LINES_MAX = 40;

export function Sidebar() {
  const home = useView("home");
  const [search, setSearch] = useState("");
  const isLoaded = home?.isLoaded ?? false;
  useEffect(() => {
    // The first screen is there: get the others ready.
    if (isLoaded) void loadMore();
  }, [isLoaded]);
  const wanted = search.trim().toLocaleLowerCase();
  const rooms = (home?.rooms ?? []).filter((room) => !wanted || room.displayName.toLocaleLowerCase().includes(wanted));
  const favourites = rooms.filter((room) => room.isFavourite);
  const people = rooms.filter((room) => room.isDirect && !room.isFavourite);
  const others = rooms.filter((room) => !room.isDirect && !room.isFavourite);
  return html`<nav class="sidebar" aria-label=${t("home.title")}>
    <header class="bar"><${ViewerMenu} /></header>
    <${Connection} />
    <div class="sidebar-tools">
      <input class="search" type="search" value=${search} placeholder=${t("home.search")} aria-label=${t("home.search")} dir="auto"
        onInput=${(event: InputEvent) => setSearch((event.target as HTMLInputElement).value)} />
      <a class="icon-button" href="/new" aria-label=${t("home.new")} title=${t("home.new")}><${Icon} name="add" /></a>
      <a class="icon-button" href="/rooms" aria-label=${t("home.directory")} title=${t("home.directory")}><${Icon} name="search" /></a>
    </div>
    <div class="sidebar-list" tabindex="-1">
      <${Waiting} />
      <${Invites} invites=${home?.invites ?? []} />
      <${Part} title="home.favourites" rooms=${favourites} />
      <${Part} title="home.rooms" rooms=${others} />
      <${Part} title="home.people" rooms=${people} />
      ${home?.isLoaded && rooms.length === 0 && html`<p class="sidebar-empty soft">${wanted ? t("home.nothingFound") : t("home.empty")}</p>`}
      ${home && !home.isLoaded && html`<p class="sidebar-empty soft" role="status">${t("app.loading")}</p>`}
    </div>
  </nav>`;
}

function Part({ title, rooms }: { title: TextName; rooms: readonly RoomSummary[] }) {
  const [isAll, setAll] = useState(false);
  if (rooms.length === 0) return null;
  const shown = isAll ? rooms : rooms.slice(0, LINES_MAX);
  return html`<section class="sidebar-part">
    <h2 class="sidebar-title">${t(title)}</h2>
    <ul>${shown.map((room) => html`<${RoomLine} key=${room.roomId} room=${room} />`)}</ul>
    ${shown.length < rooms.length &&
    html`<button type="button" class="button link sidebar-more" onClick=${() => setAll(true)}>${t("home.showAll", { count: rooms.length })}</button>`}
  </section>`;
}
