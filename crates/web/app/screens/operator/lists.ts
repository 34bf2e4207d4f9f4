// The accounts and the rooms of the server, with search.

import { useEffect, useState } from "preact/hooks";
import { OperatorAccountsDocument, OperatorRoomsDocument, type OperatorAccountsQuery, type OperatorRoomsQuery } from "../../generated.js";
import { html, type Children } from "../../html.js";
import { Avatar } from "../../parts/avatar.js";
import { Button } from "../../parts/button.js";
import { toast } from "../../parts/toast.js";
import { pathTo } from "../../router.js";
import { reason } from "../../state/acting.js";
import { nameOf } from "../../state/names.js";
import { useStore } from "../../state/store.js";
import { formatDate, t, type TextName } from "../../texts/index.js";

type Account = NonNullable<OperatorAccountsQuery["admin"]>["accounts"]["nodes"][number];
type Room = NonNullable<OperatorRoomsQuery["admin"]>["rooms"]["nodes"][number];

interface Page<Node> {
  nodes: readonly Node[];
  pageInfo: { hasNextPage: boolean; endCursor: string | null };
}

const PAUSE_MS = 250;

export function Accounts() {
  const store = useStore();
  const load = async (search: string, after: string | null) => {
    const { admin } = await store.query(OperatorAccountsDocument, { search: search || null, after });
    return admin!.accounts;
  };
  return html`<${List} title="operator.accounts" search="operator.searchAccounts" load=${load} line=${(account: Account) => html`<${AccountLine} key=${account.user.userId} account=${account} />`} />`;
}

export function Rooms() {
  const store = useStore();
  const load = async (search: string, after: string | null) => {
    const { admin } = await store.query(OperatorRoomsDocument, { search: search || null, after });
    return admin!.rooms;
  };
  return html`<${List} title="operator.rooms" search="operator.searchRooms" load=${load} line=${(room: Room) => html`<${RoomLine} key=${room.roomId} room=${room} />`} />`;
}

interface ListProps<Node> {
  title: TextName;
  search: TextName;
  load: (search: string, after: string | null) => Promise<Page<Node>>;
  line: (node: Node) => Children;
}

function List<Node>({ title, search: label, load, line }: ListProps<Node>) {
  const [search, setSearch] = useState("");
  const [page, setPage] = useState<Page<Node> | null>(null);
  const wanted = search.trim();
  const fail = (error: unknown) => toast(reason(error), "bad");
  useEffect(() => {
    let isCurrent = true;
    const timer = setTimeout(() => load(wanted, null).then((first) => isCurrent && setPage(first), fail), page ? PAUSE_MS : 0);
    return () => {
      isCurrent = false;
      clearTimeout(timer);
    };
  }, [wanted]);
  const more = () => load(wanted, page!.pageInfo.endCursor).then((next) => setPage({ ...next, nodes: [...page!.nodes, ...next.nodes] }), fail);
  return html`<section class="stack">
    <h2>${t(title)}</h2>
    <input class="search" type="search" dir="auto" value=${search} aria-label=${t(label)} placeholder=${t(label)}
      onInput=${(event: InputEvent) => setSearch((event.target as HTMLInputElement).value)} />
    <ul class="cards">${page?.nodes.map(line)}</ul>
    ${page?.pageInfo.hasNextPage && html`<div><${Button} onClick=${more}>${t("directory.more")}<//></div>`}
  </section>`;
}

function AccountLine({ account }: { account: Account }) {
  const { user, createdAt, deactivatedAt, isAdmin, isImported, hasPassword } = account;
  const notes = [isAdmin && t("operator.isAdmin"), deactivatedAt && t("operator.isDeactivated"), isImported && t("operator.isImported"), !hasPassword && t("operator.noPassword")];
  return html`<li><a class="card row" href=${pathTo.person(user.userId)}>
    <${Avatar} id=${user.userId} name=${nameOf(user)} />
    <span class="grow stack-tight"><strong class="one-line" dir="auto">${user.userId}</strong>
      <span class="soft small">${t("devices.since", { when: formatDate(createdAt, { dateStyle: "medium" }) })}</span></span>
    ${notes.filter(Boolean).map((note) => html`<span class="tag">${note}</span>`)}
  </a></li>`;
}

function RoomLine({ room }: { room: Room }) {
  const name = room.name ?? room.canonicalAlias ?? room.roomId;
  return html`<li class="card row">
    <${Avatar} id=${room.roomId} name=${name} isRoom />
    <span class="grow stack-tight"><strong class="one-line" dir="auto">${name}</strong>
      <span class="soft small one-line" dir="auto">${room.roomId}</span></span>
    <span class="soft small">${t("room.members", { count: room.memberCount })}</span>
    <span class="soft small">${t("operator.events", { count: room.eventCount })}</span>
    ${room.isListed && html`<span class="tag">${t("operator.isListed")}</span>`}
  </li>`;
}
