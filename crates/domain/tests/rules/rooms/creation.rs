//! Creating rooms.

use rookery_domain::{
    CreateRoom, HistoryVisibility, JoinRule, Membership, Pdu, PowerLevelsChange, Preset, Profile,
    Rejection, Room, RoomVersionId,
};
use serde_json::{Value, json};

use crate::support::{
    ALICE, BOB, CAROL, NONCE, context, created, invite, join, leave, private, profile_of,
    public_of, say, user,
};

fn refused(command: &CreateRoom) -> Rejection {
    Room::create(command, &profile_of(ALICE), NONCE, &context(ALICE, 1_000)).unwrap_err()
}

fn full() -> CreateRoom {
    CreateRoom {
        preset: Preset::Public,
        name: Some("Den".into()),
        topic: Some("Talk".into()),
        avatar_url: Some("mxc://rook.example/a".into()),
        alias: Some("#den:rook.example".try_into().unwrap()),
        invite: [BOB, CAROL, BOB, ALICE].map(|id| user(id).to_owned().into()).into(),
        history_visibility: Some(HistoryVisibility::Joined),
        listed: true,
        is_direct: true,
        room_type: Some("m.space".into()),
        ..CreateRoom::default()
    }
}

#[test]
fn a_room_can_be_made_joined_talked_in_and_left_in_every_version() {
    for version in [RoomVersionId::V10, RoomVersionId::V11, RoomVersionId::V12] {
        let given = public_of(version.clone());
        assert_eq!(given.room.version(), Some(&version));
        let given = given
            .and(BOB, join())
            .when(BOB, say("hello"))
            .then("m.room.message", json!({ "msgtype": "m.text", "body": "hello" }));
        let given = given.and(BOB, leave());
        assert_eq!(given.room.membership(user(BOB)), Membership::Leave);
    }
}

#[test]
fn the_room_id_is_the_create_event_from_version_12_on_and_a_name_before() {
    let twelve = public_of(RoomVersionId::V12);
    let hash = twelve.events[0].event_id.as_str().trim_start_matches('$').to_owned();
    assert_eq!(twelve.room.id().as_str(), format!("!{hash}"));
    let eleven = public_of(RoomVersionId::V11);
    assert_eq!(eleven.room.id().as_str(), format!("!{NONCE}:rook.example"));
}

#[test]
fn rooms_made_in_the_same_millisecond_differ_by_their_nonce() {
    for version in [RoomVersionId::V11, RoomVersionId::V12] {
        let command = CreateRoom { version: Some(version), ..CreateRoom::default() };
        let make = |nonce| {
            Room::create(&command, &profile_of(ALICE), nonce, &context(ALICE, 1)).unwrap().0
        };
        assert_ne!(make("one").id(), make("two").id());
        assert_eq!(make("one").id(), make("one").id());
    }
}

#[test]
fn all_that_was_asked_for_is_there_at_once() {
    let given = created(&full());
    let kinds: Vec<_> = given.events.iter().map(|event| event.kind.to_string()).collect();
    assert_eq!(
        kinds,
        [
            "m.room.create",
            "m.room.member",
            "m.room.power_levels",
            "m.room.canonical_alias",
            "m.room.join_rules",
            "m.room.history_visibility",
            "m.room.name",
            "m.room.topic",
            "m.room.avatar",
            "org.rookery.directory",
            "m.room.member",
            "m.room.member",
        ]
    );
    let room = &given.room;
    assert_eq!(room.name().as_deref(), Some("Den"));
    assert_eq!(room.join_rule(), JoinRule::Public);
    assert_eq!(room.history_visibility(), HistoryVisibility::Joined);
    assert!(room.is_listed());
    let preview = room.invite_preview(user(BOB)).unwrap();
    assert!(preview.is_direct);
    assert_eq!(preview.topic.as_deref(), Some("Talk"));
    assert_eq!(preview.room_type.as_deref(), Some("m.space"));
    assert_eq!(preview.canonical_alias.unwrap(), "#den:rook.example");
    assert_eq!(preview.avatar_url.as_deref(), Some("mxc://rook.example/a"));
}

#[test]
fn the_room_that_create_returns_is_the_room_that_its_events_make() {
    for version in [RoomVersionId::V10, RoomVersionId::V11, RoomVersionId::V12] {
        let command = CreateRoom { version: Some(version), ..full() };
        let context = context(ALICE, 1_000);
        let (room, _) = Room::create(&command, &profile_of(ALICE), NONCE, &context).unwrap();
        let given = created(&command);
        let ids = |room: &Room| -> Vec<_> {
            room.state_events().map(|event| event.event_id.clone()).collect()
        };
        assert_eq!(ids(&room), ids(&given.room));
        assert_eq!(room.forward_extremities(), given.room.forward_extremities());
    }
}

#[test]
fn every_event_follows_the_one_before_it() {
    let given = created(&full());
    for (depth, event) in (1..).zip(&given.events) {
        assert_eq!(event.depth, depth);
    }
    for pair in given.events.windows(2) {
        assert_eq!(pair[1].prev_events, [pair[0].event_id.clone()]);
    }
}

#[test]
fn a_private_room_is_by_invitation_and_its_history_shared() {
    let room = private().room;
    assert_eq!(room.join_rule(), JoinRule::Invite);
    assert_eq!(room.history_visibility(), HistoryVisibility::Shared);
    let given = private().and(ALICE, invite(BOB)).and(BOB, join());
    assert_eq!(given.room.membership(user(BOB)), Membership::Join);
}

#[test]
fn the_creator_is_named_as_each_version_wants_it() {
    let create = |version| -> Value {
        let event: std::sync::Arc<Pdu> = public_of(version).events[0].clone();
        event.content_as().unwrap()
    };
    let ten = json!({ "room_version": "10", "creator": ALICE });
    assert_eq!(create(RoomVersionId::V10), ten);
    assert_eq!(create(RoomVersionId::V11), json!({ "room_version": "11" }));
    let twelve = json!({ "room_version": "12", "org.rookery.nonce": NONCE });
    assert_eq!(create(RoomVersionId::V12), twelve);
}

#[test]
fn old_and_unknown_versions_are_refused() {
    for version in [RoomVersionId::V1, RoomVersionId::V9, "org.x".try_into().unwrap()] {
        let command = CreateRoom { version: Some(version.clone()), ..CreateRoom::default() };
        assert_eq!(refused(&command), Rejection::UnknownRoomVersion(version.to_string()));
    }
}

#[test]
fn what_a_room_cannot_have_it_cannot_start_with() {
    let codes = [
        (CreateRoom { name: Some("x".repeat(256)), ..full() }, "TOO_LARGE"),
        (CreateRoom { topic: Some("x".repeat(8_193)), ..full() }, "TOO_LARGE"),
        (CreateRoom { avatar_url: Some("http://a/b".into()), ..full() }, "INVALID_CONTENT"),
        (CreateRoom { alias: "#den:else.example".try_into().ok(), ..full() }, "INVALID_ALIAS"),
        (CreateRoom { room_type: Some("x".repeat(256)), ..full() }, "TOO_LARGE"),
    ];
    for (command, code) in codes {
        assert_eq!(refused(&command).code(), code);
    }
    let invite = (0..101).map(|number| {
        rookery_domain::OwnedUserId::try_from(format!("@u{number}:rook.example")).unwrap().into()
    });
    let command = CreateRoom { invite: invite.collect(), ..CreateRoom::default() };
    assert_eq!(refused(&command).code(), "TOO_MANY");
}

#[test]
fn a_room_starts_with_the_levels_asked_for_but_never_without_a_head() {
    let version = Some(RoomVersionId::V11);
    let with = |power_levels| CreateRoom { power_levels, version: version.clone(), ..full() };
    let silent = PowerLevelsChange { events_default: Some(10), ..Default::default() };
    let given = created(&with(silent));
    assert_eq!(given.room.power_levels().unwrap().events_default, 10);
    let users = [(user(ALICE).to_owned(), Some(50))].into();
    let headless = PowerLevelsChange { users, ..Default::default() };
    assert_eq!(refused(&with(headless.clone())), Rejection::WouldLockOut);
    let twelve = CreateRoom { power_levels: headless, ..full() };
    assert_eq!(refused(&twelve), Rejection::CreatorHasNoLevel(user(ALICE).to_owned()));
}

#[test]
fn a_nonce_is_plain() {
    for nonce in ["", "a b", "a:b", &"x".repeat(65)] {
        let made =
            Room::create(&CreateRoom::default(), &Profile::default(), nonce, &context(ALICE, 1));
        assert_eq!(made.unwrap_err().code(), "INVALID_CONTENT");
    }
}
