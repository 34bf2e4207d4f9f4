//! The marked fields, and the documents that can be shared.

#![expect(clippy::unused_async, reason = "async-graphql takes resolvers that are async")]

use std::{
    collections::BTreeSet,
    sync::{Arc, Weak},
};

use async_graphql::{
    ComplexObject, Context, EmptyMutation, Object, Result, Schema, SimpleObject, Subscription,
    Union, Variables, parser::parse_query,
};
use futures_util::{Stream, StreamExt as _, stream};
use rookery_graphql_documents::{Executable, Types};
use rookery_log::Position;
use rookery_schema::context::session;
use rookery_schema::marks::{Marks, SharedBy, shared};

use super::{
    Handed,
    document::{Document, Needs},
    execution::{Execution, Template},
    identity::Identity,
    shelf::{Kept, Shelf},
};
use crate::schema::{
    marked_sdl as sdl,
    subscription::{Draft, EventChunk as Chunk},
};

fn document(text: &str) -> Option<Document> {
    document_of(text, &sdl())
}

fn document_of(text: &str, sdl: &str) -> Option<Document> {
    let marks = Marks::of_sdl(sdl).expect("a schema");
    Document::of(&parse_query(text).expect("a document"), None, &marks)
}

/// A field may be marked only after its resolver was read: it must not ask for the viewer.
#[test]
fn these_fields_are_marked_and_no_others() {
    let marks = Marks::of_sdl(&sdl()).expect("a schema");
    let events: Vec<_> = marks.types().objects_of("RoomEvent").collect();
    let all = marks.all();
    assert_eq!(events.len(), 15);
    // A field that all events have is named once.
    let common: BTreeSet<_> =
        all.iter().filter_map(|it| it.strip_prefix("OtherEvent.")).map(str::to_owned).collect();
    for (object, field) in events.iter().flat_map(|it| common.iter().map(move |field| (it, field)))
    {
        assert!(all.contains(&format!("{object}.{field}")), "{object}.{field}");
    }
    let marked = all.iter().filter_map(|path| {
        let (object, field) = path.split_once('.')?;
        let is_common = events.contains(&object) && common.contains(field);
        match (is_common, object) {
            (true, "OtherEvent") => Some(format!("RoomEvent.{field}")),
            (true, _) => None,
            (false, _) => Some(path.clone()),
        }
    });
    let marked: BTreeSet<_> = marked.collect();
    let of = |by: &str| -> Vec<_> {
        let marked = marked.iter().filter_map(|field| field.strip_suffix(by));
        marked.map(str::trim_end).map(str::to_owned).collect()
    };
    assert_eq!(of("Members"), ["RoomEvent.isRedacted", "User.avatarUrl", "User.displayName"]);
    assert_eq!(of("Others"), ["RoomEvent.actionId"]);
    let everyone = "AliasEvent.alternative AliasEvent.canonical AvatarEvent.avatarUrl \
        CallEvent.callId CallEvent.calleeId CallEvent.endReason CallEvent.lifetimeSeconds \
        CallEvent.media CallEvent.partyId CallEvent.step CreateEvent.predecessor CreateEvent.roomType CreateEvent.version EventChunk.position \
        EventChunk.skipped HistoryVisibilityEvent.visibility JoinRulesEvent.allowedRooms \
        JoinRulesEvent.joinRule MemberEvent.avatarUrl MemberEvent.displayName \
        MemberEvent.isDirect MemberEvent.membership MemberEvent.reason MemberEvent.user \
        MemberEvent.userId Mentions.isRoom Mentions.userIds MessageEvent.body MessageEvent.edits \
        MessageEvent.formattedBody MessageEvent.kind MessageEvent.mentions \
        MessageEvent.threadRoot PowerLevels.ban PowerLevels.eventsDefault PowerLevels.invite \
        PowerLevels.kick PowerLevels.redact PowerLevels.stateDefault PowerLevels.usersDefault \
        PowerLevelsEvent.powerLevels ReactionEvent.key ReactionEvent.reactsTo ReceiptMoved.eventId \
        ReceiptMoved.isPrivate ReceiptMoved.readAt ReceiptMoved.room ReceiptMoved.sequence \
        ReceiptMoved.user ReceiptMoved.userId RedactionEvent.reason RedactionEvent.redacts Room.id \
        Room.roomId RoomEvent.content RoomEvent.cursor RoomEvent.depth RoomEvent.eventId RoomEvent.id \
        RoomEvent.isLate RoomEvent.isSuperseded RoomEvent.pdu RoomEvent.position RoomEvent.receivedAt \
        RoomEvent.room RoomEvent.sender RoomEvent.sentAt RoomEvent.sequence RoomEvent.stateKey \
        RoomEvent.text RoomEvent.type RoomNameEvent.name SkippedEvents.first SkippedEvents.last \
        SkippedEvents.reason SkippedEvents.roomId TombstoneEvent.replacedBy TopicEvent.topic \
        User.id User.isRemote User.userId";
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
    let typed = "text } ... on MessageEvent { body } ... on MemberEvent { membership";
    assert_eq!(of(typed, "sequence"), Some((Some(none), Some(none))));
    let one_type = "text } ... on MemberEvent { user { displayName } ";
    assert_eq!(of(one_type, "sequence"), Some((Some(members), Some(none))));
    let own_of_one = "text } ... on PowerLevelsEvent { powerLevels { users { nodes { level } } } ";
    assert_eq!(of(own_of_one, "sequence"), Some((None, Some(none))));
    for own in ["replaced { id }", "sender { presence { presence } }", "room { unreadCount }"] {
        assert_eq!(of(own, "sequence"), Some((None, Some(none))), "{own}");
        let neither = of(&format!("text @skip(if: true) {own}"), "room { name }");
        assert_eq!(neither, Some((None, None)), "{own}");
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
fn a_document_of_many_fields_is_not_shared() {
    let events = |count: usize| {
        let fields: Vec<_> = (0..count).map(|alias| format!("a{alias}: eventId")).collect();
        let text = "subscription { eventStream { events { ... on RoomEvent { FIELDS } } } }";
        document(&text.replace("FIELDS", &fields.join(" "))).and_then(|document| document.events)
    };
    assert_eq!(events(200), None, "and the list of events");
    assert_eq!(events(199), Some(Needs::default()));
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
        assert!(document(text).is_none_or(|it| !it.is_shared()), "{text}");
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

#[test]
fn kept_answers_never_take_more_than_they_may() {
    let document =
        document("subscription { eventStream { position skipped { first } } }").expect("a stream");
    let shelf = Shelf::new(10_000);
    let keep = |number: u64, bytes: usize| {
        let (items, skipped, ephemeral) = (Vec::new(), Vec::new(), Vec::new());
        let counts = Vec::new();
        let draft = Draft { items, skipped, ephemeral, counts, position: Position(number) };
        let identity = Identity::of(&draft, 0, &document).expect("nothing of its own").into();
        let kept = Arc::new(Kept { identity, answer: "x".repeat(bytes).into() });
        let number = shelf.keep(&kept, draft.commits());
        assert!(shelf.size().1 <= 10_000, "{:?}", shelf.size());
        (Arc::downgrade(&kept), number)
    };
    let all: Vec<_> = (0..20).map(|number| keep(number, 1_000)).collect();
    let is_kept = |(kept, _): &(Weak<Kept>, _)| kept.strong_count() > 0;
    let kept = all.iter().filter(|it| is_kept(it)).count();
    assert!((2..10).contains(&kept), "{kept}");
    assert!(all[20 - kept..].iter().all(is_kept), "the oldest ones go first");
    assert_eq!(keep(20, 10_000).1, None, "what is too long for all of it is not kept");
    assert_eq!(shelf.size().0, kept, "and nothing else goes for that");
    shelf.remove(all.iter().filter_map(|(_, number)| *number));
    assert_eq!(shelf.size(), (0, 0));
}

/// A stream of its input, with fields that a shared execution cannot answer.
struct Faulty;

#[derive(SimpleObject)]
#[graphql(complex)]
struct FaultyChunk {
    fine: bool,
}

#[ComplexObject]
impl FaultyChunk {
    async fn panics(&self) -> bool {
        assert!(!self.fine, "a resolver with a fault");
        true
    }

    async fn waits(&self) -> bool {
        std::future::pending().await
    }

    async fn asks(&self, context: &Context<'_>) -> Result<bool> {
        Ok(session(context).viewer().map(|_| true)?)
    }
}

#[Subscription]
impl Faulty {
    async fn event_stream(&self, context: &Context<'_>) -> impl Stream<Item = FaultyChunk> + use<> {
        let handed = context.data_unchecked::<Handed>().chunks();
        handed.map(|_| FaultyChunk { fine: true })
    }
}

#[test]
fn a_shared_execution_that_panics_or_waits_or_fails_has_no_answer_and_leaves_the_next_one_alone() {
    let schema = Schema::build(Root, EmptyMutation, Faulty).finish();
    let execution = |fields: &str| {
        let query = format!("subscription {{ eventStream {{ {fields} }} }}");
        let template = Template {
            query,
            operation_name: None,
            variables: Variables::default(),
            budget: None,
            executable: None,
        };
        Execution::shared(&schema, &template)
    };
    let mut fine = execution("fine");
    for fields in ["fine panics", "fine waits", "fine asks"] {
        assert!(execution(fields).answer_now(Chunk::empty()).is_none(), "{fields}");
        let response = fine.answer_now(Chunk::empty()).expect("an answer");
        assert_eq!(response.data.to_string(), "{eventStream: {fine: true}}");
    }
}

#[test]
fn a_shared_answer_is_completed_before_it_is_serialised() {
    let schema = Schema::build(Root, EmptyMutation, Faulty).finish();
    let types = Arc::new(Types::new(&schema.sdl()).expect("a schema"));
    let query = "subscription { eventStream { fine @include(if: false) } }".to_owned();
    let (executable, variables) =
        Executable::of(&types, &query, Variables::default()).expect("an operation");
    let template = Template {
        query,
        operation_name: None,
        variables,
        budget: None,
        executable: Some(executable),
    };
    let response = Execution::shared(&schema, &template).answer_now(Chunk::empty());
    assert_eq!(response.expect("an answer").data.to_string(), "{eventStream: {}}");
}
