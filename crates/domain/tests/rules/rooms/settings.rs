//! Names, topics and the other settings of rooms.

use rookery_domain::{HistoryVisibility, JoinRule, OwnedRoomAliasId, Rejection, RoomCommand};
use serde_json::{Value, json};

use crate::support::{ALICE, BOB, CAROL, private, public};

fn alias(name: &str) -> OwnedRoomAliasId {
    name.try_into().unwrap()
}

fn aliases(canonical: Option<&str>, alternative: &[&str]) -> RoomCommand {
    RoomCommand::SetAliases {
        canonical: canonical.map(alias),
        alternative: alternative.iter().map(|name| alias(name)).collect(),
    }
}

fn state(event_type: &str, state_key: &str, content: Value) -> RoomCommand {
    let Value::Object(content) = content else { panic!("content is an object") };
    let (event_type, state_key) = (event_type.to_owned(), state_key.to_owned());
    RoomCommand::SetState { event_type, state_key, content }
}

/// Each command with the event that it makes, and the type of that event.
fn examples() -> Vec<(RoomCommand, &'static str, Value)> {
    let room = "!other:rook.example";
    vec![
        (RoomCommand::SetName { name: "Den".into() }, "m.room.name", json!({ "name": "Den" })),
        (
            RoomCommand::SetTopic { topic: "Talk".into() },
            "m.room.topic",
            json!({ "topic": "Talk" }),
        ),
        (
            RoomCommand::SetAvatar { url: Some("mxc://rook.example/a".into()) },
            "m.room.avatar",
            json!({ "url": "mxc://rook.example/a" }),
        ),
        (
            aliases(Some("#den:rook.example"), &["#d:rook.example", "#d:rook.example"]),
            "m.room.canonical_alias",
            json!({ "alias": "#den:rook.example", "alt_aliases": ["#d:rook.example"] }),
        ),
        (
            RoomCommand::SetJoinRule { rule: JoinRule::Restricted(vec![room.try_into().unwrap()]) },
            "m.room.join_rules",
            json!({
                "join_rule": "restricted",
                "allow": [{ "type": "m.room_membership", "room_id": room }],
            }),
        ),
        (
            RoomCommand::SetJoinRule { rule: JoinRule::Knock },
            "m.room.join_rules",
            json!({ "join_rule": "knock" }),
        ),
        (
            RoomCommand::SetHistoryVisibility { visibility: HistoryVisibility::Joined },
            "m.room.history_visibility",
            json!({ "history_visibility": "joined" }),
        ),
        (
            RoomCommand::SetListed { listed: true },
            "org.rookery.directory",
            json!({ "listed": true }),
        ),
        (
            state("com.example.widget", "left", json!({ "size": 3 })),
            "com.example.widget",
            json!({ "size": 3 }),
        ),
        // With certain features, ruma knows this type by another name too.
        (state("m.call.member", "_x", json!({ "size": 3 })), "m.call.member", json!({ "size": 3 })),
        (
            state("m.room.pinned_events", "", json!({ "pinned": [] })),
            "m.room.pinned_events",
            json!({ "pinned": [] }),
        ),
        (
            state("m.room.server_acl", "", json!({ "allow": ["*"], "deny": ["evil.example"] })),
            "m.room.server_acl",
            json!({ "allow": ["*"], "deny": ["evil.example"] }),
        ),
    ]
}

#[test]
fn a_moderator_sets_it_and_setting_it_again_changes_nothing() {
    for (command, kind, content) in examples() {
        public().when(ALICE, &command).then(kind, content).when(ALICE, &command).then_nothing();
    }
}

#[test]
fn a_member_without_power_cannot_set_it() {
    for (command, kind, _) in examples() {
        let of_admins = ["m.room.history_visibility", "m.room.server_acl"];
        let needed = if of_admins.contains(&kind) { 100 } else { 50 };
        let action = format!("to set {kind}");
        public().joined(&[BOB]).when(BOB, command).then_err(&Rejection::InsufficientPower {
            needed,
            have: 0,
            action,
        });
    }
}

#[test]
fn a_stranger_cannot_set_it_even_to_what_it_is() {
    for (command, ..) in examples() {
        public().and(ALICE, &command).when(CAROL, &command).then_err(&Rejection::NotAMember);
    }
}

#[test]
fn every_member_may_ask_for_what_holds_already() {
    for (command, ..) in examples() {
        public().joined(&[BOB]).and(ALICE, &command).when(BOB, &command).then_nothing();
    }
}

#[test]
fn lists_of_servers_have_the_form_that_all_servers_read() {
    let key_is_empty = "the state key of m.room.server_acl is empty";
    let lists = "`allow` and `deny` of m.room.server_acl are lists of texts";
    let literals = "`allow_ip_literals` of m.room.server_acl is true or false";
    let nobody = "`allow` of m.room.server_acl names no server; [\"*\"] allows all";
    for (key, content, why) in [
        ("x", json!({ "allow": ["*"] }), key_is_empty),
        ("", json!({ "allow": "*" }), lists),
        ("", json!({ "allow": ["*"], "deny": [1] }), lists),
        ("", json!({ "allow": ["*"], "allow_ip_literals": "no" }), literals),
        ("", json!({ "deny": ["evil.example"] }), nobody),
        ("", json!({ "allow": [] }), nobody),
    ] {
        let refused = Rejection::InvalidContent(why.to_owned());
        public().when(ALICE, state("m.room.server_acl", key, content)).then_err(&refused);
    }
}

#[test]
fn taking_away_what_was_never_there_changes_nothing() {
    for command in [
        RoomCommand::SetName { name: String::new() },
        RoomCommand::SetTopic { topic: String::new() },
        RoomCommand::SetAvatar { url: None },
        RoomCommand::SetListed { listed: false },
        aliases(None, &[]),
    ] {
        public().when(ALICE, command).then_nothing();
    }
}

#[test]
fn a_name_can_be_taken_away() {
    let given = public().and(ALICE, RoomCommand::SetName { name: "Den".into() });
    assert_eq!(given.room.name().as_deref(), Some("Den"));
    let given = given.and(ALICE, RoomCommand::SetName { name: String::new() });
    assert_eq!(given.room.name(), None);
}

#[test]
fn the_room_tells_how_it_is_set() {
    let given =
        examples().into_iter().fold(public(), |given, (command, ..)| given.and(ALICE, command));
    assert_eq!(given.room.join_rule(), JoinRule::Knock);
    assert_eq!(given.room.history_visibility(), HistoryVisibility::Joined);
    assert_eq!(given.room.canonical_alias(), Some(alias("#den:rook.example")));
    assert_eq!(given.room.alternative_aliases(), [alias("#d:rook.example")]);
    assert_eq!(given.room.topic().as_deref(), Some("Talk"));
    assert_eq!(given.room.avatar_url().as_deref(), Some("mxc://rook.example/a"));
    assert_eq!(given.room.room_type(), None);
    assert!(given.room.is_listed());
    assert!(!private().room.is_listed());
}

#[test]
fn who_may_set_what_is_told_before_it_is_tried() {
    let room = public().joined(&[BOB]).room;
    let may = |id, is_state| room.may_send(crate::support::user(id), "com.example.x", is_state);
    assert!(may(ALICE, true) && !may(BOB, true) && !may(CAROL, true));
    assert!(may(BOB, false) && !may(CAROL, false));
}

#[test]
fn aliases_are_names_of_this_server() {
    for name in [
        "#den:else.example",
        "#:rook.example",
        "#a b:rook.example",
        "#../x:rook.example",
        "#a\u{7}:rook.example",
    ] {
        public().when(ALICE, aliases(Some(name), &[])).then_code("INVALID_ALIAS");
        public().when(ALICE, aliases(None, &[name])).then_code("INVALID_ALIAS");
    }
}

#[test]
fn an_avatar_is_an_mxc_address() {
    for url in ["", "https://rook.example/a", "javascript:alert(1)", "mxc://rook.example"] {
        let command = RoomCommand::SetAvatar { url: Some(url.to_owned()) };
        public().when(ALICE, command).then_code("INVALID_CONTENT");
    }
}

#[test]
fn names_and_topics_have_limits() {
    let name = |length| RoomCommand::SetName { name: "x".repeat(length) };
    public().when(ALICE, name(255)).then_one();
    public().when(ALICE, name(256)).then_code("TOO_LARGE");
    let topic = |length| RoomCommand::SetTopic { topic: "x".repeat(length) };
    public().when(ALICE, topic(8_192)).then_one();
    public().when(ALICE, topic(8_193)).then_code("TOO_LARGE");
}

#[test]
fn state_with_a_command_of_its_own_is_refused() {
    for kind in ["m.room.create", "m.room.member", "m.room.power_levels", "org.rookery.directory"] {
        public()
            .when(ALICE, state(kind, "", json!({})))
            .then_err(&Rejection::ReservedType(kind.to_owned()));
    }
}

#[test]
fn a_state_key_that_is_a_user_is_the_senders_own() {
    let content = json!({ "mood": "good" });
    public()
        .when(ALICE, state("com.example.mood", BOB, content.clone()))
        .then_err(&Rejection::StateKeyNotYours(BOB.to_owned()));
    public().when(ALICE, state("com.example.mood", ALICE, content)).then_one();
}

#[test]
fn a_room_does_not_admit_its_own_members() {
    let given = public();
    let own = given.room.id().to_owned();
    let command = RoomCommand::SetJoinRule { rule: JoinRule::Restricted(vec![own.clone()]) };
    given.when(ALICE, command).then_err(&Rejection::AdmitsItself(own));
}

#[test]
fn lists_have_limits() {
    let many: Vec<_> = (0..101).map(|number| format!("#a{number}:rook.example")).collect();
    let many: Vec<_> = many.iter().map(String::as_str).collect();
    public().when(ALICE, aliases(None, &many)).then_code("TOO_MANY");
}
