//! Making rooms.

use rookery_domain::{Membership, RoomVersionId};
use serde_json::json;

use crate::support::{ALICE, BOB, NONCE, invite, join, leave, private, public_of, say, user};

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
fn who_is_invited_to_a_private_room_may_join_it() {
    let given = private().and(ALICE, invite(BOB)).and(BOB, join());
    assert_eq!(given.room.membership(user(BOB)), Membership::Join);
}
