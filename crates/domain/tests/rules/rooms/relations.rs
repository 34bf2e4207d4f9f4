//! Replies, threads, edits and reactions.

use rookery_domain::{
    EventId, KnownEvent, Mentions, MessageKind, MessageRelation, OwnedEventId, Rejection,
    RoomCommand,
};
use serde_json::{Value, json};

use crate::support::{ALICE, BOB, CAROL, Given, leave, public, say, user};

fn saying(body: &str, relation: MessageRelation) -> RoomCommand {
    mentioning(body, Some(relation), None)
}

fn mentioning(
    body: &str,
    relation: Option<MessageRelation>,
    mentions: Option<Mentions>,
) -> RoomCommand {
    let (kind, body) = (MessageKind::Text, body.to_owned());
    RoomCommand::SendMessage { kind, body, formatted_body: None, relation, mentions }
}

fn raw(event_type: &str, content: Value) -> RoomCommand {
    let Value::Object(content) = content else { panic!("content is an object") };
    RoomCommand::SendEvent { event_type: event_type.to_owned(), content }
}

fn reply(to: &EventId) -> MessageRelation {
    MessageRelation::Reply(to.to_owned())
}

fn thread(root: &EventId) -> MessageRelation {
    MessageRelation::Thread { root: root.to_owned(), reply_to: None }
}

fn edit(event: &EventId) -> MessageRelation {
    MessageRelation::Edit(event.to_owned())
}

fn react(event: &EventId, key: &str) -> RoomCommand {
    RoomCommand::React { event_id: event.to_owned(), key: key.to_owned() }
}

/// A room with a message of Bob's.
fn said() -> (OwnedEventId, Given) {
    let (event, given) = public().joined(&[BOB, CAROL]).when(BOB, say("hello")).then_one();
    (event.event_id.clone(), given)
}

/// Every way to refer to an event.
fn references(event: &EventId) -> Vec<RoomCommand> {
    let in_thread = MessageRelation::Thread { root: event.to_owned(), reply_to: None };
    let relates = |relates: Value| {
        raw(
            "m.room.message",
            json!({ "msgtype": "m.text", "body": "x",
            "m.new_content": {}, "m.relates_to": relates }),
        )
    };
    vec![
        saying("x", reply(event)),
        saying("x", in_thread),
        saying("x", edit(event)),
        react(event, "👍"),
        relates(json!({ "m.in_reply_to": { "event_id": event } })),
        relates(json!({ "rel_type": "m.thread", "event_id": event })),
        relates(json!({ "rel_type": "m.replace", "event_id": event })),
        relates(json!({ "rel_type": "com.example.other", "event_id": event })),
        raw(
            "m.reaction",
            json!({ "m.relates_to":
            { "rel_type": "m.annotation", "event_id": event, "key": "x" } }),
        ),
    ]
}

#[test]
fn a_reply_names_what_it_answers() {
    let (event, given) = said();
    given.when(ALICE, saying("hi", reply(&event))).then(
        "m.room.message",
        json!({
            "msgtype": "m.text",
            "body": "hi",
            "m.relates_to": { "m.in_reply_to": { "event_id": event } },
        }),
    );
}

#[test]
fn a_message_in_a_thread_falls_back_to_a_reply_to_the_last_one() {
    let (root, given) = said();
    let relates = |answered: &EventId, falling_back: bool| {
        json!({
            "msgtype": "m.text",
            "body": "more",
            "m.relates_to": {
                "rel_type": "m.thread",
                "event_id": root,
                "is_falling_back": falling_back,
                "m.in_reply_to": { "event_id": answered },
            },
        })
    };
    let given = given
        .when(ALICE, saying("more", thread(&root)))
        .then("m.room.message", relates(&root, true));
    let first = given.events.last().unwrap().event_id.clone();
    let given = given
        .when(CAROL, saying("more", thread(&root)))
        .then("m.room.message", relates(&first, true));
    let answer = MessageRelation::Thread { root: root.clone(), reply_to: Some(first.clone()) };
    given.when(BOB, saying("more", answer)).then("m.room.message", relates(&first, false));
}

#[test]
fn an_edit_has_its_content_twice() {
    let (event, given) = said();
    let formatted_body = Some("<b>hello!</b>".to_owned());
    let command = RoomCommand::SendMessage {
        kind: MessageKind::Emote,
        body: "hello!".to_owned(),
        formatted_body,
        relation: Some(edit(&event)),
        mentions: None,
    };
    given.when(BOB, command).then(
        "m.room.message",
        json!({
            "msgtype": "m.emote",
            "body": "* hello!",
            "format": "org.matrix.custom.html",
            "formatted_body": "* <b>hello!</b>",
            "m.new_content": {
                "msgtype": "m.emote",
                "body": "hello!",
                "format": "org.matrix.custom.html",
                "formatted_body": "<b>hello!</b>",
            },
            "m.relates_to": { "rel_type": "m.replace", "event_id": event },
        }),
    );
}

#[test]
fn mentions_stand_in_the_content_and_an_edit_calls_nobody_twice() {
    let mentions = |users: &[&str], room| {
        let users = users.iter().map(|id| user(id).to_owned()).collect();
        Some(Mentions { users, room })
    };
    let given = public().joined(&[BOB]);
    let (event, given) =
        given.when(BOB, mentioning("a", None, mentions(&[ALICE], false))).then_one();
    let said: Value = event.content_as().unwrap();
    assert_eq!(said["m.mentions"], json!({ "user_ids": [ALICE] }));
    let relation = Some(edit(&event.event_id));
    let all = mentions(&[ALICE, CAROL], true);
    let (edited, given) = given.when(BOB, mentioning("b", relation, all)).then_one();
    let edited: Value = edited.content_as().unwrap();
    assert_eq!(edited["m.mentions"], json!({ "user_ids": [CAROL], "room": true }));
    let in_all = json!({ "user_ids": [ALICE, CAROL], "room": true });
    assert_eq!(edited["m.new_content"]["m.mentions"], in_all);
    let many = Some(Mentions { users: vec![user(ALICE).to_owned(); 101], room: false });
    given.clone().when(BOB, mentioning("c", None, many)).then_code("TOO_MANY");
    let (none, _) = given.when(BOB, mentioning("d", None, mentions(&[], false))).then_one();
    let none: Value = none.content_as().unwrap();
    assert_eq!(none["m.mentions"], json!({}), "it says that nobody is called");
}

#[test]
fn a_reaction_is_an_annotation_and_the_same_again_is_none() {
    let (event, given) = said();
    let relates = |key: &str| {
        json!({ "m.relates_to":
            { "rel_type": "m.annotation", "event_id": event, "key": key } })
    };
    let given = given.when(ALICE, react(&event, "👍")).then("m.reaction", relates("👍"));
    let given = given.when(ALICE, react(&event, "👍")).then_nothing();
    let given = given.when(ALICE, raw("m.reaction", relates("👍"))).then_nothing();
    let given = given.when(CAROL, react(&event, "👍")).then("m.reaction", relates("👍"));
    let given = given.when(ALICE, react(&event, "🎉")).then("m.reaction", relates("🎉"));
    given.clone().when(ALICE, react(&event, "")).then_code("INVALID_CONTENT");
    given.clone().when(ALICE, react(&event, &"x".repeat(256))).then_code("TOO_LARGE");
    given.when(ALICE, react(&event, &"x".repeat(255))).then_one();
}

#[test]
fn nobody_refers_to_what_is_not_in_the_room_or_not_for_her() {
    let (event, given) = said();
    let pdu = given.events.last().unwrap().clone();
    let unknown: Vec<KnownEvent> = Vec::new();
    let hidden = vec![KnownEvent { visible: false, ..Given::known(&pdu) }];
    let (_, other) = said();
    let elsewhere = {
        let create = rookery_domain::CreateRoom {
            room_type: Some("other".to_owned()),
            ..Default::default()
        };
        let (elsewhere, _) = crate::support::created(&create).when(ALICE, say("x")).then_one();
        (elsewhere.event_id.clone(), vec![Given::known(&elsewhere)])
    };
    for (target, known) in [(event.clone(), unknown), (event.clone(), hidden), elsewhere] {
        for command in references(&target) {
            let outcome = other.clone().when_knowing(BOB, &command, &known);
            outcome.then_err(&Rejection::NoSuchEvent(target.clone()));
        }
    }
    for command in references(&event) {
        other.clone().and(BOB, leave()).when(BOB, &command).then_err(&Rejection::NotAMember);
    }
}

#[test]
fn only_ones_own_messages_are_edited() {
    let (event, given) = said();
    given
        .clone()
        .when(ALICE, saying("x", edit(&event)))
        .then_err(&Rejection::EventNotYours(event.clone()));
    let (edited, given) = given.when(BOB, saying("x", edit(&event))).then_one();
    given.clone().when(BOB, saying("x", edit(&edited.event_id))).then_code("NOT_EDITABLE");
    let join = given.events.iter().find(|event| event.state_key.as_deref() == Some(BOB)).unwrap();
    given.clone().when(BOB, saying("x", edit(&join.event_id))).then_code("NOT_EDITABLE");
    let other_type = json!({ "m.new_content": {},
        "m.relates_to": { "rel_type": "m.replace", "event_id": event } });
    given.clone().when(BOB, raw("com.example.x", other_type)).then_code("NOT_EDITABLE");
    let bare = json!({ "msgtype": "m.text", "body": "x",
        "m.relates_to": { "rel_type": "m.replace", "event_id": event } });
    given.when(BOB, raw("m.room.message", bare)).then_code("INVALID_CONTENT");
}

#[test]
fn what_was_redacted_is_neither_edited_nor_reacted_to() {
    let (event, given) = said();
    let pdu = given.events.last().unwrap().clone();
    let known = [KnownEvent { redacted: true, ..Given::known(&pdu) }];
    for command in [saying("x", edit(&event)), react(&event, "x")] {
        let outcome = given.clone().when_knowing(BOB, &command, &known);
        outcome.then_err(&Rejection::EventRedacted(event.clone()));
    }
    given.when_knowing(BOB, saying("x", thread(&event)), &known).then_one();
}

#[test]
fn threads_do_not_nest() {
    let (event, given) = said();
    let (inner, given) = given.when(ALICE, saying("x", thread(&event))).then_one();
    let nested = saying("x", thread(&inner.event_id));
    given.clone().when(ALICE, nested).then_err(&Rejection::NotAThreadRoot(inner.event_id.clone()));
    let (answer, given) = given.when(ALICE, saying("x", reply(&event))).then_one();
    given.when(ALICE, saying("x", thread(&answer.event_id))).then_one();
}

#[test]
fn relations_that_a_client_writes_itself_have_the_form_of_the_specification() {
    let (event, given) = said();
    for relates in [
        json!("x"),
        json!({}),
        json!({ "rel_type": 1, "event_id": event }),
        json!({ "rel_type": "m.thread" }),
        json!({ "rel_type": "m.thread", "event_id": "no event" }),
        json!({ "rel_type": "m.annotation", "event_id": event }),
        json!({ "m.in_reply_to": "x" }),
        json!({ "m.in_reply_to": { "event_id": 1 } }),
    ] {
        let content = json!({ "m.relates_to": relates });
        given.clone().when(BOB, raw("com.example.x", content)).then_code("INVALID_CONTENT");
    }
    for content in
        [json!({}), json!({ "m.relates_to": { "rel_type": "m.thread", "event_id": event } })]
    {
        given.clone().when(BOB, raw("m.reaction", content)).then_code("INVALID_CONTENT");
    }
}
