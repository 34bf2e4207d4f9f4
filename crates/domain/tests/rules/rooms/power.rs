//! Power levels: allowed changes, and the head that a room keeps.

use rookery_domain::{Power, PowerLevelsChange, Rejection, RoomCommand, RoomVersionId};

use crate::support::{ALICE, BOB, CAROL, DAVE, Given, leave, public, public_of, user};

pub(crate) fn level(id: &str, level: i64) -> RoomCommand {
    change(PowerLevelsChange {
        users: [(user(id).to_owned(), Some(level))].into(),
        ..PowerLevelsChange::default()
    })
}

fn no_level(id: &str) -> RoomCommand {
    let users = [(user(id).to_owned(), None)].into();
    change(PowerLevelsChange { users, ..PowerLevelsChange::default() })
}

fn event(kind: &str, level: i64) -> RoomCommand {
    let events = [(kind.to_owned(), Some(level))].into();
    change(PowerLevelsChange { events, ..PowerLevelsChange::default() })
}

fn change(change: PowerLevelsChange) -> RoomCommand {
    RoomCommand::SetPowerLevels { change }
}

fn above(what: &str, have: i64) -> Rejection {
    Rejection::LevelAboveOwn { what: what.to_owned(), have }
}

/// A room of version 11, where the creator is an administrator like others.
fn eleven() -> Given {
    public_of(RoomVersionId::V11).joined(&[BOB, CAROL])
}

#[test]
fn a_level_is_given_kept_and_taken() {
    let given = public().joined(&[BOB]).and(ALICE, level(BOB, 50));
    assert_eq!(given.room.power_of(user(BOB)), Power::Level(50));
    assert_eq!(given.room.power_of(user(ALICE)), Power::Infinite);
    let given = given.when(ALICE, level(BOB, 50)).then_nothing().and(ALICE, no_level(BOB));
    assert_eq!(given.room.power_of(user(BOB)), Power::Level(0));
    given.when(ALICE, no_level(BOB)).then_nothing();
}

#[test]
fn a_change_leaves_all_else_as_it_was() {
    let before = public().joined(&[BOB]);
    let levels = before.room.power_levels().unwrap().clone();
    let given = before.and(ALICE, event("com.example.vote", 7));
    let mut expected = levels;
    expected.events.insert("com.example.vote".to_owned(), 7);
    assert_eq!(given.room.power_levels(), Some(&expected));
}

#[test]
fn every_setting_can_change() {
    let all = PowerLevelsChange {
        users_default: Some(1),
        events_default: Some(2),
        state_default: Some(3),
        invite: Some(4),
        kick: Some(5),
        ban: Some(6),
        redact: Some(7),
        ..PowerLevelsChange::default()
    };
    let given = public().and(ALICE, change(all));
    let levels = given.room.power_levels().unwrap();
    let settings =
        (levels.users_default, levels.events_default, levels.state_default, levels.invite);
    assert_eq!(settings, (1, 2, 3, 4));
    assert_eq!((levels.kick, levels.ban, levels.redact), (5, 6, 7));
}

#[test]
fn nobody_gives_more_than_she_has() {
    let given = eleven().and(ALICE, event("m.room.power_levels", 50)).and(ALICE, level(BOB, 50));
    given.clone().when(BOB, level(CAROL, 51)).then_err(&above(CAROL, 50));
    given.clone().when(BOB, level(BOB, 51)).then_err(&above(BOB, 50));
    given.clone().when(BOB, event("com.example.vote", 51)).then_err(&above("com.example.vote", 50));
    let ban = PowerLevelsChange { ban: Some(51), ..PowerLevelsChange::default() };
    given.clone().when(BOB, change(ban)).then_err(&above("ban", 50));
    given.when(BOB, level(CAROL, 50)).then_one();
}

#[test]
fn nobody_takes_from_her_equals_or_betters() {
    let given = eleven().and(ALICE, event("m.room.power_levels", 50));
    let given = given.and(ALICE, level(BOB, 50)).and(ALICE, level(CAROL, 50));
    given.clone().when(BOB, level(CAROL, 0)).then_err(&above(CAROL, 50));
    given.clone().when(BOB, no_level(ALICE)).then_err(&above(ALICE, 50));
    given.clone().when(BOB, event("m.room.tombstone", 0)).then_err(&above("m.room.tombstone", 50));
    given.clone().when(BOB, level(BOB, 10)).then_one();
    let ban = |level| PowerLevelsChange { ban: Some(level), ..PowerLevelsChange::default() };
    let given = given.and(ALICE, change(ban(51)));
    given.clone().when(BOB, change(ban(0))).then_err(&above("ban", 50));
    given.and(ALICE, change(ban(50))).when(BOB, change(ban(0))).then_one();
}

#[test]
fn changing_levels_needs_power_and_membership() {
    let action = "to change power levels".to_owned();
    let weak = Rejection::InsufficientPower { needed: 100, have: 0, action };
    eleven().when(BOB, level(CAROL, 0)).then_err(&weak);
    eleven().when(DAVE, level(DAVE, 100)).then_err(&Rejection::NotAMember);
}

#[test]
fn the_last_administrator_cannot_demote_herself() {
    eleven().when(ALICE, level(ALICE, 50)).then_err(&Rejection::WouldLockOut);
    eleven().when(ALICE, no_level(ALICE)).then_err(&Rejection::WouldLockOut);
    eleven().and(ALICE, level(BOB, 100)).when(ALICE, level(ALICE, 50)).then_one();
}

#[test]
fn an_administrator_who_has_left_is_no_head() {
    let given = eleven().and(ALICE, level(BOB, 100)).and(BOB, leave());
    given.when(ALICE, level(ALICE, 50)).then_err(&Rejection::WouldLockOut);
}

#[test]
fn members_who_may_all_change_levels_are_head_enough() {
    let all = PowerLevelsChange { users_default: Some(100), ..PowerLevelsChange::default() };
    let given = eleven().and(ALICE, change(all));
    given.clone().when(ALICE, level(ALICE, 0)).then_one();
    let alone = given.and(BOB, leave()).and(CAROL, leave());
    alone.when(ALICE, level(ALICE, 0)).then_err(&Rejection::WouldLockOut);
}

#[test]
fn a_creator_of_version_12_has_no_level_to_change() {
    let creator = Rejection::CreatorHasNoLevel(user(ALICE).to_owned());
    public().when(ALICE, level(ALICE, 50)).then_err(&creator);
}

#[test]
fn levels_are_integers_that_matrix_knows() {
    public().when(ALICE, level(BOB, 1 << 53)).then_code("INVALID_CONTENT");
}
