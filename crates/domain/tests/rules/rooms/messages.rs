//! Messages and other events that are not state.

use rookery_domain::{JsonObject, MessageKind, Rejection, Room, RoomCommand, RoomVersionId};
use serde_json::{Value, json};

use crate::support::{
    ALICE, BOB, CAROL, context, invite, leave, private, profile_of, public, public_of, say, user,
};

fn send(event_type: &str, content: Value) -> RoomCommand {
    let Value::Object(content) = content else { panic!("content is an object") };
    RoomCommand::SendEvent { event_type: event_type.to_owned(), content }
}

#[test]
fn the_manner_of_a_message_is_its_msgtype() {
    for (kind, msgtype) in [
        (MessageKind::Text, "m.text"),
        (MessageKind::Emote, "m.emote"),
        (MessageKind::Notice, "m.notice"),
    ] {
        let body = "waves".to_owned();
        let formatted_body = Some("<i>waves</i>".to_owned());
        let command =
            RoomCommand::SendMessage { kind, body, formatted_body, relation: None, mentions: None };
        public().when(ALICE, command).then(
            "m.room.message",
            json!({
                "msgtype": msgtype,
                "body": "waves",
                "format": "org.matrix.custom.html",
                "formatted_body": "<i>waves</i>",
            }),
        );
    }
}

#[test]
fn saying_the_same_again_is_a_new_event() {
    let (first, given) = public().when(ALICE, say("hello")).then_one();
    let (second, _) = given.when(ALICE, say("hello")).then_one();
    assert_ne!(first.event_id, second.event_id);
    assert_eq!(second.prev_events, std::slice::from_ref(&first.event_id));
    assert_eq!(second.depth, first.depth + 1);
}

#[test]
fn only_members_talk() {
    public().when(BOB, say("hello")).then_err(&Rejection::NotAMember);
    private().and(ALICE, invite(BOB)).when(BOB, say("hello")).then_err(&Rejection::NotAMember);
    let given = public().joined(&[BOB]).and(BOB, leave());
    given.when(BOB, say("hello")).then_err(&Rejection::NotAMember);
    let ban = RoomCommand::Ban { user: user(BOB).to_owned(), reason: None };
    public().and(ALICE, ban).when(BOB, say("hello")).then_err(&Rejection::Banned);
}

#[test]
fn a_muted_room_needs_power() {
    let change = rookery_domain::PowerLevelsChange {
        events_default: Some(10),
        events: [("com.example.vote".to_owned(), Some(0))].into(),
        ..Default::default()
    };
    let given = public().joined(&[BOB]).and(ALICE, RoomCommand::SetPowerLevels { change });
    let action = "to send events of type m.room.message".to_owned();
    let muted = Rejection::InsufficientPower { needed: 10, have: 0, action };
    given.clone().when(BOB, say("hello")).then_err(&muted);
    given.clone().when(ALICE, say("hello")).then_one();
    given.when(BOB, send("com.example.vote", json!({}))).then_one();
}

#[test]
fn a_custom_event_keeps_its_content() {
    let content = json!({ "é": [1, null, { "b": true, "a": "\u{0}\n\"" }], "": {} });
    public()
        .when(ALICE, send("com.example.dice", content.clone()))
        .then("com.example.dice", content);
}

#[test]
fn types_that_act_on_the_room_are_refused() {
    for event_type in
        ["m.room.member", "m.room.redaction", "m.room.name", "org.rookery.directory", "m.room.x"]
    {
        public()
            .when(ALICE, send(event_type, json!({})))
            .then_err(&Rejection::ReservedType(event_type.to_owned()));
    }
}

#[test]
fn a_message_has_a_type_and_a_body() {
    public()
        .when(ALICE, send("m.room.message", json!({ "body": "?" })))
        .then_code("INVALID_CONTENT");
    let content = json!({ "body": "?", "msgtype": "m.image" });
    public().when(ALICE, send("m.room.message", content.clone())).then("m.room.message", content);
}

#[test]
fn floats_and_integers_beyond_53_bits_are_refused() {
    for number in [json!(1.5), json!(1e3), json!(1_i64 << 53), json!(u64::MAX), json!(-0.0)] {
        public()
            .when(ALICE, send("com.example.n", json!({ "n": [number] })))
            .then_code("INVALID_CONTENT");
    }
    let most = json!({ "n": [(1_i64 << 53) - 1, -((1_i64 << 53) - 1)] });
    public().when(ALICE, send("com.example.n", most.clone())).then("com.example.n", most);
}

#[test]
fn content_nests_as_deep_as_it_can_be_read_back() {
    let wraps: [fn(Value) -> Value; 2] = [|inner| json!([inner]), |inner| json!({ "a": inner })];
    for wrap in wraps {
        let nested = |depth: usize| {
            let inner = (1..depth).fold(json!("x"), |value, _| wrap(value));
            send("com.example.deep", json!({ "in": inner }))
        };
        let (event, _) = public().when(ALICE, nested(64)).then_one();
        rookery_domain::Pdu::parse(event.event_id.clone(), event.json.clone()).unwrap();
        serde_json::from_slice::<Value>(&event.json).unwrap();
        public().when(ALICE, nested(65)).then_code("INVALID_CONTENT");
    }
}

#[test]
fn long_messages_and_long_types_are_refused() {
    public().when(ALICE, say(&"x".repeat(65_536))).then_code("TOO_LARGE");
    public().when(ALICE, send(&"x".repeat(256), json!({}))).then_code("TOO_LARGE");
    public().when(ALICE, send("", json!({}))).then_code("INVALID_CONTENT");
}

#[test]
fn an_event_reads_back_as_it_was_made() {
    for version in [RoomVersionId::V10, RoomVersionId::V11, RoomVersionId::V12] {
        let given = public_of(version).and(ALICE, say("hello"));
        for event in &given.events {
            let read =
                rookery_domain::Pdu::parse(event.event_id.clone(), event.json.clone()).unwrap();
            assert_eq!(format!("{read:?}"), format!("{event:?}"));
        }
    }
}

#[test]
fn a_room_that_was_never_made_takes_no_commands() {
    let room = Room::new("!none:rook.example".try_into().unwrap());
    let refused = room.decide(&say("hello"), &profile_of(ALICE), &context(ALICE, 1));
    assert_eq!(refused, Err(Rejection::NoSuchRoom));
    let content = JsonObject::new();
    let command = RoomCommand::SendEvent { event_type: "m.room.member".to_owned(), content };
    let refused = room.decide(&command, &profile_of(CAROL), &context(CAROL, 1));
    assert_eq!(refused, Err(Rejection::NoSuchRoom));
}
