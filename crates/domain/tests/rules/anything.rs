//! Any commands, by anyone, in any order.

use proptest::prelude::*;
use rookery_domain::{
    HistoryVisibility, JoinRule, PowerLevelsChange, Profile, Rejection, RoomCommand, RoomVersionId,
};

use crate::{
    permissions,
    support::{ALICE, BOB, CAROL, DAVE, Given, accepted, invite, public_of, say, user},
};

const USERS: [&str; 4] = [ALICE, BOB, CAROL, DAVE];

fn anyone() -> impl Strategy<Value = &'static str> {
    prop::sample::select(&USERS[..])
}

fn change() -> impl Strategy<Value = PowerLevelsChange> {
    let level = || prop::sample::select(vec![0_i64, 10, 50, 99, 100, 101]);
    let maybe = move || prop::option::of(level());
    let events = prop::sample::select(vec!["m.room.power_levels", "m.room.name", "m.room.message"]);
    let users = prop::collection::btree_map(anyone(), maybe(), 0..3);
    let settings = (maybe(), maybe(), maybe(), maybe(), maybe());
    (users, prop::collection::btree_map(events, maybe(), 0..2), settings).prop_map(
        |(users, events, (users_default, events_default, invite, kick, ban))| PowerLevelsChange {
            users: users.into_iter().map(|(id, level)| (user(id).to_owned(), level)).collect(),
            events: events.into_iter().map(|(kind, level)| (kind.to_owned(), level)).collect(),
            users_default,
            events_default,
            invite,
            kick,
            ban,
            ..PowerLevelsChange::default()
        },
    )
}

fn command() -> impl Strategy<Value = RoomCommand> {
    let room = || rookery_domain::OwnedRoomId::try_from("!other:rook.example").unwrap();
    let rules = vec![
        JoinRule::Public,
        JoinRule::Invite,
        JoinRule::Knock,
        JoinRule::Restricted(vec![room()]),
        JoinRule::KnockRestricted(vec![room()]),
    ];
    let who = || anyone().prop_map(|id| user(id).to_owned());
    let reason: Option<String> = None;
    let none = reason.clone();
    prop_oneof![
        3 => prop::option::of(Just(room()))
            .prop_map(|member_of| RoomCommand::Join { reason: None, member_of }),
        1 => Just(RoomCommand::Leave { reason: reason.clone(), successor: None }),
        1 => Just(RoomCommand::Knock { reason }),
        2 => anyone().prop_map(invite),
        1 => who().prop_map(|user| RoomCommand::Kick { user, reason: None }),
        1 => who().prop_map(|user| RoomCommand::Ban { user, reason: None }),
        1 => who().prop_map(move |user| RoomCommand::Unban { user, reason: none.clone() }),
        2 => Just(say("hello")),
        1 => "[a-z]{0,2}".prop_map(|name| RoomCommand::SetName { name }),
        1 => prop::sample::select(rules).prop_map(|rule| RoomCommand::SetJoinRule { rule }),
        1 => Just(RoomCommand::SetHistoryVisibility { visibility: HistoryVisibility::Joined }),
        2 => change().prop_map(|change| RoomCommand::SetPowerLevels { change }),
        1 => prop::option::of("[a-z]{1,2}").prop_map(|displayname| {
            let profile = Profile { displayname, avatar_url: None };
            RoomCommand::SetMemberProfile { profile }
        }),
    ]
}

/// Whether repeating the command changes nothing.
fn is_setting(command: &RoomCommand) -> bool {
    !matches!(command, RoomCommand::SendMessage { .. })
}

fn run(mut given: Given, commands: Vec<(&str, RoomCommand)>) -> Result<(), TestCaseError> {
    for (sender, command) in commands {
        let outcome = given.when(sender, &command);
        given = outcome.given;
        match outcome.result {
            Err(Rejection::Forbidden { rule }) => {
                prop_assert!(false, "{sender} {command:?}: only ruma knew: {rule}");
            }
            Err(_) => {}
            Ok(events) => {
                given.now += 1;
                for event in &events {
                    given.room.evolve(&accepted(event));
                }
                permissions::compare(&given);
                if is_setting(&command) {
                    let again = given.clone().when(sender, &command).result;
                    // A sender who has just given up their own power may not repeat the command.
                    let harmless = again.as_ref().is_ok_and(Vec::is_empty);
                    prop_assert!(harmless, "{sender} {command:?} again: {again:?}");
                }
            }
        }
    }
    Ok(())
}

proptest! {
    /// Each refusal has a name of ours. ruma accepts every event that we accept (`decide` asks it
    /// about messages in debug builds only). Repeating a command changes nothing.
    #[test]
    fn every_refusal_has_a_name_and_nothing_happens_twice(
        version in prop::sample::select(vec![
            RoomVersionId::V10, RoomVersionId::V11, RoomVersionId::V12,
        ]),
        commands in prop::collection::vec((anyone(), command()), 0..40),
    ) {
        run(public_of(version), commands)?;
    }
}
