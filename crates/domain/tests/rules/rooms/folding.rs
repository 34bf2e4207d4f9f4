//! How events fold into a room.

use rookery_domain::{
    EventStatus, Holder, JoinRule, Membership, Pdu, Room, RoomCommand, RoomVersionId, SlotChange,
};

use crate::support::{
    ALICE, BOB, CAROL, accepted, invite, join, leave, public, public_of, say, user,
};

#[test]
fn a_replayed_room_decides_what_the_living_one_decides() {
    for version in [RoomVersionId::V10, RoomVersionId::V11, RoomVersionId::V12] {
        let given = public_of(version).and(BOB, join()).and(BOB, say("one")).and(ALICE, say("two"));
        let facts: Vec<_> = given
            .events
            .iter()
            .map(|event| {
                let read = Pdu::parse(event.event_id.clone(), event.json.clone()).unwrap();
                accepted(&read.into())
            })
            .collect();
        let replayed = Room::replay(given.room.id().to_owned(), &facts);
        assert_eq!(replayed.version(), given.room.version());
        assert_eq!(replayed.depth(), given.room.depth());
        assert_eq!(replayed.weight_bytes(), given.room.weight_bytes());
        let mut again = given.clone();
        again.room = replayed;
        let (first, _) = given.when(BOB, say("three")).then_one();
        let (second, _) = again.when(BOB, say("three")).then_one();
        assert_eq!(first.json, second.json);
    }
}

#[test]
fn events_that_were_not_accepted_change_nothing() {
    let given = public();
    let (event, after) = given.clone().when(BOB, join()).then_one();
    for status in [EventStatus::Rejected, EventStatus::SoftFailed] {
        let mut room = given.room.clone();
        let mut fact = accepted(&event);
        fact.envelope.status = status;
        room.evolve(&fact);
        assert_eq!(room.membership(user(BOB)), Membership::None);
        assert_eq!(room.forward_extremities(), given.room.forward_extremities());
    }
    assert_eq!(after.room.forward_extremities(), std::slice::from_ref(&event.event_id));
}

#[test]
fn branches_of_a_room_are_joined_by_the_next_event() {
    let given = public().joined(&[BOB]);
    let (left, _) = given.clone().when(ALICE, say("left")).then_one();
    let (right, _) = given.clone().when(BOB, say("right")).then_one();
    let mut given = given;
    given.room.evolve(&accepted(&left));
    given.room.evolve(&accepted(&right));
    assert_eq!(given.room.forward_extremities().len(), 2);
    let (next, given) = given.when(ALICE, say("next")).then_one();
    assert_eq!(next.prev_events, [left.event_id.clone(), right.event_id.clone()]);
    assert_eq!(given.room.forward_extremities(), std::slice::from_ref(&next.event_id));
}

#[test]
fn members_are_counted_and_weighed() {
    let given = public();
    let empty = given.room.weight_bytes();
    let given = given.joined(&[BOB]).and(ALICE, invite(CAROL));
    assert_eq!((given.room.joined_count(), given.room.invited_count()), (2, 1));
    let full = given.room.weight_bytes();
    assert!(full > empty);
    let given = given.and(BOB, say("messages weigh nothing"));
    assert_eq!(given.room.weight_bytes(), full);
    let given = given.and(CAROL, join()).and(BOB, leave());
    assert_eq!((given.room.joined_count(), given.room.invited_count()), (2, 0));
    let members: Vec<_> = given.room.members().map(|(user, ..)| user).collect();
    assert_eq!(members, [ALICE, BOB, CAROL]);
}

#[test]
fn a_room_of_an_unknown_version_takes_no_commands() {
    let mut given = public();
    let json = String::from_utf8(given.events[0].json.to_vec()).unwrap();
    let json = json.replace("\"room_version\":\"12\"", "\"room_version\":\"99\"");
    let create = Pdu::parse(given.events[0].event_id.clone(), json.into()).unwrap();
    given.room = Room::replay(given.room.id().to_owned(), &[accepted(&create.into())]);
    assert!(given.room.is_created());
    given
        .when(ALICE, RoomCommand::SetName { name: "Den".into() })
        .then_code("UNKNOWN_ROOM_VERSION");
}

#[test]
fn what_state_resolution_said_is_what_the_room_is() {
    let given = public().and(ALICE, RoomCommand::SetName { name: "First".into() });
    let first = given.events.last().unwrap().clone();
    let given = given.and(ALICE, RoomCommand::SetName { name: "Second".into() });
    let (message, given) = given.when(ALICE, say("a fork is joined")).then_one();
    let slot =
        |kind: &str, holder| SlotChange { kind: kind.into(), state_key: String::new(), holder };
    let holder = Holder { event_id: first.event_id.clone(), position: Some(1), index: 0 };
    let changes = vec![slot("m.room.name", Some(holder)), slot("m.room.join_rules", None)];
    let mut event = accepted(&message);
    event.envelope.state = Some(changes);
    event.restated = vec![first];
    let mut room = given.room.clone();
    room.evolve(&event);
    assert_eq!(room.name().as_deref(), Some("First"));
    assert_eq!(room.join_rule(), JoinRule::Invite);
}

#[test]
fn state_that_lost_its_slot_on_arrival_takes_nothing() {
    let given = public().and(ALICE, RoomCommand::SetName { name: "First".into() });
    let named = given.clone();
    let (late, _) = given.when(ALICE, RoomCommand::SetName { name: "Late".into() }).then_one();
    let mut event = accepted(&late);
    event.envelope.state = Some(Vec::new());
    let mut room = named.room.clone();
    room.evolve(&event);
    assert!(!event.holds_its_slot());
    assert_eq!(room.name().as_deref(), Some("First"));
}
