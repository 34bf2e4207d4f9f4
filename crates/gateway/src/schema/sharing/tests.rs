//! Which fields are marked, and what is understood of documents.

use async_graphql::{
    Context, EmptyMutation, Object, Schema, SimpleObject, Subscription, Union, parser::parse_query,
};
use futures_util::{Stream, stream};

use super::{
    SharedBy,
    document::{Document, Needs},
    mark::{Marks, shared},
};
use crate::schema::{context::session, sdl};

fn document(text: &str) -> Option<Document> {
    document_of(text, &sdl())
}

fn document_of(text: &str, sdl: &str) -> Option<Document> {
    Document::of(&parse_query(text).expect("a document"), None, &Marks::of_sdl(sdl))
}

/// Whoever marks a field says here too that its resolver was read: it asks nobody who asks.
#[test]
fn these_fields_are_marked_and_no_others() {
    let marked = Marks::of_sdl(&sdl()).all();
    let of = |by: &str| -> Vec<_> {
        let marked = marked.iter().filter_map(|field| field.strip_suffix(by));
        marked.map(str::trim_end).map(str::to_owned).collect()
    };
    assert_eq!(of("Members"), ["RoomEvent.isRedacted", "User.avatarUrl", "User.displayName"]);
    assert_eq!(of("Others"), ["RoomEvent.actionId"]);
    let everyone = "EventChunk.position EventChunk.skipped ReceiptMoved.eventId \
        ReceiptMoved.private ReceiptMoved.readAt ReceiptMoved.room ReceiptMoved.sequence \
        ReceiptMoved.user ReceiptMoved.userId Room.id Room.roomId RoomEvent.arrivedLate \
        RoomEvent.content RoomEvent.cursor RoomEvent.depth RoomEvent.eventId RoomEvent.id \
        RoomEvent.isSuperseded RoomEvent.pdu RoomEvent.position RoomEvent.receivedAt \
        RoomEvent.room RoomEvent.sender RoomEvent.sentAt RoomEvent.sequence RoomEvent.stateKey \
        RoomEvent.text RoomEvent.type SkippedEvents.first SkippedEvents.last \
        SkippedEvents.reason SkippedEvents.roomId User.id User.userId";
    assert_eq!(of("Everyone"), everyone.split_whitespace().collect::<Vec<_>>());
}

#[test]
fn what_depends_on_the_viewer_is_refused_item_by_item() {
    let of = |event: &str, receipt: &str| {
        document(&format!(
            "subscription {{ eventStream {{ position events {{ __typename
                ... on RoomEvent {{ {event} }} ... on ReceiptMoved {{ {receipt} }}
                ... on RoomOpened {{ room {{ name unreadCount }} }} }} }} }}"
        ))
        .map(|it| (it.events, it.receipts))
    };
    let none = Needs::default();
    assert_eq!(of("text", "sequence"), Some((Some(none), Some(none))));
    let members = Needs { members: true, ..none };
    assert_eq!(of("sender { displayName }", "sequence"), Some((Some(members), Some(none))));
    let others = Needs { others: true, ..none };
    assert_eq!(of("mine: actionId", "sequence"), Some((Some(others), Some(none))));
    for own in ["replaced { id }", "sender { presence { presence } }", "room { unreadCount }"] {
        assert_eq!(of(own, "sequence"), Some((None, Some(none))), "{own}");
        assert_eq!(of(&format!("text @skip(if: true) {own}"), "room { name }"), None, "{own}");
    }
}

#[test]
fn fields_are_found_wherever_the_document_has_them() {
    let own = "unreadCount";
    for text in [
        "subscription { eventStream { events { ... on RoomEvent { room { U } } } } }",
        "subscription { eventStream { events { ...E } } } fragment E on StreamItem { ...F }
            fragment F on RoomEvent { room { ... { U } } }",
        "subscription { eventStream { ...C } } fragment C on EventChunk { events { ... on Node {
            ... on RoomEvent { room { x: U @include(if: false) } } } } }",
        "subscription { eventStream { events { ... { ... on RoomEvent { room { ...R } } } } } }
            fragment R on Room { ... on Node { ... on Room { U } } }",
    ] {
        let receipts = "subscription { eventStream { events { ... on ReceiptMoved { sequence } ";
        let text = text.replace("subscription { eventStream { events {", receipts);
        let with = document(&text.replace('U', own));
        assert_eq!(with.and_then(|it| it.events), None, "{text}");
        let without = document(&text.replace('U', "roomId")).and_then(|it| it.events);
        assert_eq!(without, Some(Needs::default()), "{text}");
    }
}

#[test]
fn what_is_not_understood_is_not_shared() {
    for text in [
        "{ viewer { position } }",
        "subscription { eventStream { nothing } }",
        "subscription { eventStream { events { ... on Nothing { text } } } }",
        "subscription { eventStream { events { ...Missing } } }",
        "subscription { eventStream { events { ...A } } } fragment A on StreamItem { ...A }",
        "subscription { ...S } fragment S on Subscription { eventStream { position } }",
        "subscription { eventStream { position } again: eventStream { position } }",
        "subscription { eventStream @include(if: true) { position } }",
    ] {
        assert_eq!(document(text), None, "{text}");
    }
}

#[test]
fn variables_that_only_choose_what_is_told_do_not_part_groups() {
    let found = document(
        "subscription($a: Position, $f: FilterInput, $s: Boolean!, $t: Boolean!) {
            eventStream(after: $a, filter: $f) { events { ...E } position @skip(if: $s) } }
        fragment E on RoomEvent { text @include(if: $t) }",
    );
    let variables = found.map(|found| Vec::from_iter(found.variables));
    assert_eq!(variables, Some(vec!["s".to_owned(), "t".to_owned()]));
}

struct Planted;

#[derive(SimpleObject)]
struct EventChunk {
    events: Vec<StreamItem>,
}

#[derive(Union)]
enum StreamItem {
    Event(RoomEvent),
}

struct RoomEvent;

#[Object]
impl RoomEvent {
    #[graphql(directive = shared::apply(SharedBy::Everyone))]
    async fn text(&self) -> &str {
        "hello"
    }

    async fn whose(&self, context: &Context<'_>) -> Option<String> {
        session(context).viewer().ok().map(ToString::to_string)
    }
}

struct Root;

#[Object]
impl Root {
    async fn nothing(&self) -> bool {
        true
    }
}

#[Subscription]
impl Planted {
    async fn event_stream(&self) -> impl Stream<Item = EventChunk> {
        stream::empty()
    }
}

#[test]
fn a_new_field_is_not_shared_until_somebody_marks_it() {
    let sdl = Schema::build(Root, EmptyMutation, Planted).finish().sdl();
    let of = |fields: &str| {
        let text = format!(
            "subscription {{ eventStream {{ events {{ ... on RoomEvent {{ {fields} }} }} }} }}"
        );
        document_of(&text, &sdl).and_then(|it| it.events)
    };
    assert!(of("text").is_some(), "{sdl}");
    assert_eq!(of("text whose"), None);
}
