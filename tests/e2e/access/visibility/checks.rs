//! The expected result of each way to see a part of a room.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write,
};

use serde_json::{Value, json};

use super::{
    Numbers, Told,
    kinds::{Kind, Viewing},
    redacted::REDACTED,
    scenes::{Played, SECRET},
};
use crate::{
    client::Client,
    oracle::{Expected, Logged, Related, expect},
};

/// Invites that a home screen lists, at most.
const INVITES_MAX: usize = 100;

/// The expected data for all checks.
pub(super) struct Checks<'a> {
    pub(super) alice: &'a Client,
    pub(super) viewers: &'a [Client],
    /// The kind of each viewer.
    pub(super) kinds: &'a [Kind],
    pub(super) played: &'a [Played],
    pub(super) logs: &'a [Vec<Logged>],
    /// The viewers who came after all events.
    pub(super) late: &'a [usize],
    /// The items that reached each viewer live.
    pub(super) live: &'a [Told],
    /// The numbers of the events that each viewer received or got as skipped.
    pub(super) numbers: &'a [Numbers],
}

/// One viewer in one room.
pub(super) struct Case<'a> {
    pub(super) viewer: &'a Client,
    pub(super) room: &'a str,
    pub(super) played: &'a Played,
    pub(super) log: &'a [Logged],
    pub(super) expected: Expected,
    pub(super) access: Access,
    pub(super) kind: Kind,
    pub(super) hint: String,
}

/// The part of a room, as it is now, that is visible to a viewer.
pub(super) struct Access {
    pub(super) inside: bool,
    pub(super) outside: bool,
    pub(super) known: bool,
}

impl Checks<'_> {
    pub(super) fn case(&self, room: usize, number: usize) -> Case<'_> {
        let (played, log) = (&self.played[room], &self.logs[room]);
        let viewer = &self.viewers[number];
        let kind = self.kinds[number];
        let viewing = Viewing { kind, played, is_late: self.late.contains(&number) };
        let expected = viewing.expect(log, &viewer.user_id);
        let inside = expected.membership == "join" || expected.setting == "world_readable";
        let outside = inside || expected.membership == "invite" || played.scene.knockable;
        let known = outside || expected.membership != "none";
        let hint = format!("{} in {}, {:?}", viewer.user_id, played.room, played.scene);
        let access = Access { inside, outside, known };
        Case { viewer, room: &played.room, played, log, expected, access, kind, hint }
    }

    /// The scenes are useful: they show something to somebody, and not everything.
    pub(super) fn are_whole(&self) {
        let (mut seen, mut all) = (0, 0);
        for room in 0..self.played.len() {
            for number in 0..self.viewers.len() {
                let case = self.case(room, number);
                seen += case.expected.timeline.len();
                all += case.log.len();
            }
        }
        assert!(all / 10 < seen && seen < all * 9 / 10, "{seen} of {all} are seen");
    }

    /// All queries about one room by one viewer.
    pub(super) fn room(&self, room: usize, number: usize) {
        let (case, live) = (self.case(room, number), &self.live[number]);
        let mut numbers = BTreeSet::new();
        for (event, number) in case.log.iter().zip(1..) {
            let is_live = case.expected.live.contains(&event.id);
            let told = live.events.contains(&event.id);
            assert_eq!(told, is_live, "{} live, {}", event.id, case.hint);
            numbers.extend(is_live.then_some(number));
        }
        let told = self.numbers[number].get(case.room).cloned().unwrap_or_default();
        assert_eq!(told, numbers, "told or skipped, {}", case.hint);
        case.receipts_told(&live.receipts);
        case.reading();
        if case.access.known {
            case.timeline();
            case.filtered();
            case.around();
        }
        case.events();
        case.fields(self.played[room].alias.as_deref());
        for (joined, answer) in &self.played[room].joins {
            if *joined == number {
                case.join(answer);
            }
        }
    }

    /// The home screen: the viewer's rooms, with their content, and the invites.
    pub(super) fn home_screen(&self, number: usize) {
        let document = "query($after: SyncCursor) { initialSync(first: 10, after: $after) { next
            rooms { ...reading timeline(last: 100) { nodes { eventId ...redacted previousContent
                    reactions { nodes { key users { nodes { userId } } } } thread { count } } } }
            invites { ...reading inviter { userId } timeline(last: 10) { nodes { eventId } } } } }
            fragment reading on Room { roomId name memberCount lastMessage { eventId ...redacted }
                unreadCount highlightCount receipts(first: 100) { nodes { userId eventId } } }";
        let document = &format!("{document} {REDACTED}");
        let (mut rooms, mut invites) = (BTreeMap::new(), BTreeMap::new());
        let mut after = Value::Null;
        loop {
            let answer = self.viewers[number].run(document, &json!({ "after": after }));
            assert!(!answer.to_string().contains(SECRET), "what was taken back, home screen");
            let sync = &answer["initialSync"];
            let by_id = |list: &Value| -> Vec<(String, Value)> {
                let rooms = list.as_array().unwrap().iter();
                rooms
                    .map(|room| (room["roomId"].as_str().unwrap().to_owned(), room.clone()))
                    .collect()
            };
            rooms.extend(by_id(&sync["rooms"]));
            invites.extend(by_id(&sync["invites"]));
            after = sync["next"].clone();
            if after.is_null() {
                break;
            }
        }
        for room in 0..self.played.len() {
            let case = self.case(room, number);
            let (Expected { membership, timeline, .. }, hint) = (&case.expected, &case.hint);
            let shown = rooms.get(case.room);
            assert_eq!(shown.is_some(), membership == "join", "home screen, {hint}");
            if let Some(shown) = shown {
                let nodes = &shown["timeline"]["nodes"];
                let newest = timeline.len().saturating_sub(100);
                assert_eq!(ids(nodes), timeline[newest..], "timeline of the sync, {hint}");
                assert_eq!(shown["name"], json!(case.expected.texts["name"]), "{hint}");
                case.reading_shown(shown);
                for node in nodes.as_array().unwrap() {
                    let related = &case.expected.related[node["eventId"].as_str().unwrap()];
                    assert_eq!(reactions(node), related.reactions, "reactions of a sync, {hint}");
                    let previous = related.previous.clone().unwrap_or_default();
                    assert_eq!(node["previousContent"], previous, "previous of a sync, {hint}");
                    case.redacted(node);
                }
            }
            let invite = invites.get(case.room);
            // With more invites, the list has the first ones only.
            let listed = invite.is_some() || invites.len() == INVITES_MAX;
            let is_invited = membership == "invite";
            assert!(invite.is_none() || is_invited, "invites, {hint}");
            assert!(listed || !is_invited, "invites, {hint}");
            if let Some(invite) = invite {
                let newest = timeline.len().saturating_sub(10);
                let nodes = &invite["timeline"]["nodes"];
                assert_eq!(ids(nodes), timeline[newest..], "invite, {hint}");
                assert_eq!(invite["inviter"]["userId"], self.alice.user_id.as_str(), "{hint}");
                case.reading_shown(invite);
            }
        }
    }

    /// The delta since a position: only the viewer's rooms, and nothing that the viewer may not
    /// see.
    pub(super) fn delta(&self, number: usize, since: &str) {
        let document = "query($since: Position, $after: SyncCursor) {
            initialSync(since: $since, first: 10, after: $after, timelineLimit: 100) { next
                updates { room { roomId name unreadCount highlightCount
                        receipts(first: 100) { nodes { userId eventId } } }
                    isReplacement stateChanges { nodes { eventId } }
                    timeline { nodes { eventId ...redacted previousContent } } }
                closed { nodes { roomId } } } }";
        let document = &format!("{document} {REDACTED}");
        let (mut updates, mut closed) = (BTreeMap::new(), BTreeSet::new());
        let mut after = Value::Null;
        loop {
            let variables = json!({ "since": since, "after": after });
            let sync = self.viewers[number].run(document, &variables)["initialSync"].clone();
            assert!(!sync.to_string().contains(SECRET), "what was taken back, delta");
            for update in sync["updates"].as_array().unwrap() {
                let room = update["room"]["roomId"].as_str().unwrap().to_owned();
                assert!(updates.insert(room, update.clone()).is_none(), "told of twice: {update}");
            }
            let room = |it: &Value| it["roomId"].as_str().unwrap().to_owned();
            closed.extend(sync["closed"]["nodes"].as_array().unwrap().iter().map(room));
            after = sync["next"].clone();
            if after.is_null() {
                break;
            }
        }
        for room in 0..self.played.len() {
            let case = self.case(room, number);
            let (Expected { membership, timeline, .. }, hint) = (&case.expected, &case.hint);
            let open = ["join", "invite"].contains(&&**membership);
            assert!(!(open && closed.contains(case.room)), "closed, {hint}");
            let Some(update) = updates.get(case.room) else { continue };
            assert_eq!(membership, "join", "an update, {hint}");
            assert_eq!(update["room"]["name"], json!(case.expected.texts["name"]), "{hint}");
            case.reading_shown(&update["room"]);
            let told = ids(&update["timeline"]["nodes"]);
            let newest = timeline.len().saturating_sub(told.len());
            assert_eq!(told, timeline[newest..], "what was missed, {hint}");
            assert!(update["isReplacement"] == true || told.len() < timeline.len(), "{hint}");
            for node in update["timeline"]["nodes"].as_array().unwrap() {
                let related = &case.expected.related[node["eventId"].as_str().unwrap()];
                let previous = related.previous.clone().unwrap_or_default();
                assert_eq!(node["previousContent"], previous, "previous in a delta, {hint}");
                case.redacted(node);
            }
            for changed in ids(&update["stateChanges"]["nodes"]) {
                assert!(case.log.iter().any(|event| event.id == changed), "{changed}, {hint}");
            }
        }
    }

    /// None of these rooms is in the directory, with any search.
    pub(super) fn directory(&self, number: usize) {
        let document = "query($search: String) { publicRooms(search: $search) { totalCount
            nodes { roomId } } }";
        for search in [Value::Null, json!("name"), json!("topic"), json!("#room")] {
            let found = self.viewers[number].run(document, &json!({ "search": search }));
            assert_eq!(found["publicRooms"], json!({ "totalCount": 0, "nodes": [] }), "{search}");
        }
    }
}

fn ids(nodes: &Value) -> Vec<String> {
    let id = |node: &Value| node["eventId"].as_str().unwrap().to_owned();
    nodes.as_array().unwrap().iter().map(id).collect()
}

fn reactions(node: &Value) -> BTreeMap<String, BTreeSet<String>> {
    let user = |user: &Value| user["userId"].as_str().unwrap().to_owned();
    let reaction = |reaction: &Value| {
        let users = reaction["users"]["nodes"].as_array().unwrap().iter().map(user).collect();
        (reaction["key"].as_str().unwrap().to_owned(), users)
    };
    node["reactions"]["nodes"].as_array().unwrap().iter().map(reaction).collect()
}

/// The relations of an event in an answer.
fn related(node: &Value) -> Related {
    let text = |value: &Value| value.as_str().map(ToOwned::to_owned);
    let thread = &node["thread"];
    let count = thread["count"].as_u64().map(|count| usize::try_from(count).unwrap());
    for reaction in node["reactions"]["nodes"].as_array().unwrap() {
        let count = reaction["users"]["nodes"].as_array().unwrap().len();
        assert_eq!(reaction["count"], json!(count), "{reaction}");
    }
    Related {
        edit: text(&node["latestEdit"]["eventId"]),
        reactions: reactions(node),
        thread: count.zip(text(&thread["lastEvent"]["eventId"])),
        reply_to: text(&node["replyTo"]["eventId"]),
        previous: Some(node["previousContent"].clone()).filter(|content| !content.is_null()),
    }
}

impl Case<'_> {
    /// Queries as the viewer. No answer contains redacted text.
    pub(super) fn run(&self, document: &str, variables: &Value) -> Value {
        let answer = self.viewer.run(document, variables);
        assert!(!answer.to_string().contains(SECRET), "what was taken back, {}", self.hint);
        answer
    }

    /// The timeline, page by page in both directions, and the relations of each of its events.
    fn timeline(&self) {
        let document =
            "query($room: RoomID!, $first: Int, $after: Cursor, $last: Int, $before: Cursor) {
            room(by: { roomId: $room }) { timeline(first: $first, after: $after, last: $last, before: $before) {
                pageInfo { hasPreviousPage hasNextPage startCursor endCursor }
                nodes { eventId ...redacted previousContent latestEdit { eventId } editedContent
                    reactions { nodes { key count users { nodes { userId } } } } replyTo { eventId ...redacted }
                    thread { count lastEvent { eventId ...redacted } } } } } }";
        let document = &format!("{document} {REDACTED}");
        for back in [true, false] {
            let mut events = Vec::new();
            let mut cursor = Value::Null;
            loop {
                let variables = if back {
                    json!({ "room": self.room, "last": 9, "before": cursor })
                } else {
                    json!({ "room": self.room, "first": 9, "after": cursor })
                };
                let answer = self.run(document, &variables);
                let page = answer["room"]["timeline"].clone();
                for node in page["nodes"].as_array().unwrap() {
                    let id = node["eventId"].as_str().unwrap();
                    let expected = self.expected.related.get(id);
                    assert_eq!(Some(&related(node)), expected, "what came of {id}, {}", self.hint);
                    self.redacted(node);
                    let edited = node["latestEdit"].is_null();
                    assert_eq!(node["editedContent"].is_null(), edited, "{}", self.hint);
                }
                let more = if back { "hasPreviousPage" } else { "hasNextPage" };
                let more = page["pageInfo"][more] == true;
                let ids = ids(&page["nodes"]);
                assert!(!more || ids.len() == 9, "a page ends early, {}", self.hint);
                if back {
                    events.splice(0..0, ids);
                    cursor = page["pageInfo"]["startCursor"].clone();
                } else {
                    events.extend(ids);
                    cursor = page["pageInfo"]["endCursor"].clone();
                }
                if !more {
                    break;
                }
            }
            assert_eq!(events, self.expected.timeline, "back: {back}, {}", self.hint);
        }
    }

    /// The timeline through a filter.
    fn filtered(&self) {
        let document = "query($room: RoomID!, $after: Cursor) { room(by: { roomId: $room }) {
            timeline(first: 100, after: $after, filter: { conditions: { types: [\"m.room.message\"] } }) {
                nodes { eventId } } } }";
        let answer = self.run(document, &json!({ "room": self.room }));
        let visible = |event: &&Logged| self.expected.timeline.contains(&event.id);
        let messages = self.log.iter().filter(|event| event.kind == "m.room.message");
        let messages: Vec<_> = messages.filter(visible).map(|event| event.id.clone()).collect();
        let found = ids(&answer["room"]["timeline"]["nodes"]);
        assert_eq!(found, messages, "filtered, {}", self.hint);
    }

    /// The timeline around the viewer's first and last visible event, and around an invisible one.
    fn around(&self) {
        let document = "query($room: RoomID!, $event: EventID!) { room(by: { roomId: $room }) {
            timeline(around: $event, first: 4, last: 4) { nodes { eventId } } } }";
        let timeline = &self.expected.timeline;
        for place in [0, timeline.len().saturating_sub(1)] {
            let Some(event) = timeline.get(place) else { continue };
            let answer = self.run(document, &json!({ "room": self.room, "event": event }));
            let (from, to) = (place.saturating_sub(4), (place + 5).min(timeline.len()));
            let found = ids(&answer["room"]["timeline"]["nodes"]);
            assert_eq!(found, timeline[from..to], "around {event}, {}", self.hint);
        }
        if let Some(hidden) = self.log.iter().find(|event| !timeline.contains(&event.id)) {
            let variables = json!({ "room": self.room, "event": hidden.id });
            assert_eq!(self.viewer.fail(document, &variables), "BAD_USER_INPUT", "{}", self.hint);
        }
    }

    /// Each event by its ID, in three ways.
    fn events(&self) {
        for events in self.log.chunks(4) {
            let mut document =
                String::from("query($room: RoomID!) { room(by: { roomId: $room }) { roomId ");
            for (index, Logged { id, .. }) in events.iter().enumerate() {
                write!(document, "e{index}: event(eventId: {id:?}) {{ eventId }} ").unwrap();
            }
            document += "} ";
            for (index, Logged { id, .. }) in events.iter().enumerate() {
                let node = node_id(id);
                write!(
                    document,
                    "e{index}: event(eventId: {id:?}) {{ eventId content text pdu }} "
                )
                .unwrap();
                write!(document, "n{index}: node(id: {node:?}) {{ id }} ").unwrap();
            }
            let answer = self.run(&(document + "}"), &json!({ "room": self.room }));
            for (index, Logged { id, .. }) in events.iter().enumerate() {
                let visible = self.expected.timeline.contains(id);
                let key = format!("e{index}");
                assert_eq!(!answer[&key].is_null(), visible, "event({id}), {}", self.hint);
                let in_room = visible && self.access.known;
                let found = &answer["room"][&key];
                assert_eq!(!found.is_null(), in_room, "Room.event({id}), {}", self.hint);
                let node = &answer[format!("n{index}")];
                assert_eq!(!node.is_null(), visible, "node of {id}, {}", self.hint);
            }
        }
    }

    /// The fields of the room itself.
    fn fields(&self, alias: Option<&str>) {
        let document = "query($room: RoomID!, $node: ID!, $alias: RoomAlias!, $alice: UserID!) {
            node(id: $node) { id ... on Room { name } }
            byAlias: room(by: { alias: $alias }) { roomId }
            initialSync(roomId: $room) { rooms { roomId } invites { roomId } }
            room(by: { roomId: $room }) { name topic avatarUrl canonicalAlias aliases { nodes } memberCount invitedCount
                activity creator { userId } inviter { userId displayName }
                lastMessage { eventId text } state { nodes { eventId content } } replacedBy predecessor
                members { totalCount nodes { userId displayName } }
                knocking: members(membership: KNOCK) { totalCount }
                member(userId: $alice) { displayName } } }";
        let variables = json!({
            "room": self.room,
            "node": node_id(self.room),
            "alias": alias.unwrap_or("#of-no-room:localhost"),
            "alice": "@alice:localhost",
        });
        let answer = self.run(document, &variables);
        let Access { inside, outside, known } = self.access;
        let (expected, hint) = (&self.expected, &self.hint);
        assert_eq!(!answer["node"].is_null(), known, "node of the room, {hint}");
        let found_by_alias = known && alias.is_some();
        assert_eq!(!answer["byAlias"].is_null(), found_by_alias, "room by alias, {hint}");
        for (list, membership) in [("rooms", "join"), ("invites", "invite")] {
            let listed = answer["initialSync"][list].as_array().unwrap();
            let is_listed = listed.iter().any(|room| room["roomId"] == self.room);
            assert_eq!(is_listed, expected.membership == membership, "{list} of a sync, {hint}");
        }
        let found = &answer["room"];
        assert_eq!(!found.is_null(), known, "room, {hint}");
        if !known {
            return;
        }
        for (field, text) in [("name", "name"), ("topic", "topic"), ("avatarUrl", "avatar")] {
            let text = if outside { json!(expected.texts[text]) } else { Value::Null };
            assert_eq!(found[field], text, "{field}, {hint}");
        }
        let alias = alias.filter(|_| outside);
        let shown = json!(alias);
        assert_eq!(found["canonicalAlias"], shown, "canonicalAlias, {hint}");
        let shown = json!(alias.into_iter().collect::<Vec<_>>());
        assert_eq!(found["aliases"]["nodes"], shown, "aliases, {hint}");
        assert_eq!(answer["node"]["name"], found["name"], "name of the node, {hint}");
        let (joined, invited) = expected.counts;
        let count = if outside { json!(joined) } else { Value::Null };
        assert_eq!(found["memberCount"], count, "memberCount, {hint}");
        let count = if inside { json!(invited) } else { Value::Null };
        assert_eq!(found["invitedCount"], count, "invitedCount, {hint}");
        for field in ["activity", "creator", "member"] {
            assert_eq!(found[field].is_null(), !inside, "{field}, {hint}");
        }
        for list in [&found["state"]["nodes"], &found["members"]["nodes"]] {
            assert_eq!(list.as_array().unwrap().is_empty(), !inside, "{list}, {hint}");
        }
        let count = if inside { joined } else { 0 };
        assert_eq!(found["members"]["totalCount"], json!(count), "members, {hint}");
        if !inside {
            assert_eq!(found["knocking"]["totalCount"], 0, "who knocks, {hint}");
        }
        let invited = expected.membership == "invite";
        assert_eq!(found["inviter"].is_null(), !invited, "inviter, {hint}");
        assert!(!invited || found["inviter"]["displayName"] == "Alice", "inviter, {hint}");
        let last = found["lastMessage"]["eventId"].as_str();
        assert_eq!(last, expected.last_message.as_deref(), "last message, {hint}");
    }

    /// The answer to a join: the room at that time.
    fn join(&self, payload: &Value) {
        let answer = &payload["room"];
        let nodes = ids(&answer["timeline"]["nodes"]);
        let newest = nodes.last().expect("the join itself");
        let until = self.log.iter().position(|event| event.id == *newest).unwrap();
        let then = expect(&self.log[..=until], &self.viewer.user_id);
        assert_eq!(then.membership, "join", "the last event is the join, {}", self.hint);
        assert_eq!(nodes, then.timeline, "answer to a join, {}", self.hint);
        let messages = ids(&payload["messages"]["nodes"]);
        assert_eq!(messages, then.timeline, "messages of a join, {}", self.hint);
        assert_eq!(answer["name"], json!(then.texts["name"]), "{}", self.hint);
        assert_eq!(answer["memberCount"], json!(then.counts.0), "{}", self.hint);
        assert_eq!(answer["members"]["totalCount"], json!(then.counts.0), "{}", self.hint);
        assert_eq!(answer["lastMessage"]["eventId"].as_str(), then.last_message.as_deref());
        for count in ["unreadCount", "highlightCount"] {
            assert_eq!(answer[count], 0, "{count} of a join, {}", self.hint);
        }
    }
}

/// The global ID of an object is its Matrix ID in base64.
fn node_id(id: &str) -> String {
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
    URL_SAFE_NO_PAD.encode(id)
}
