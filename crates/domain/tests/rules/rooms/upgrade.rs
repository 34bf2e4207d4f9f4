//! A room replaces another one.

use rookery_domain::{
    CreateRoom, HistoryVisibility, Invitee, JoinRule, Membership, Power, PowerLevelsChange, Preset,
    Rejection, Room, RoomCommand, RoomVersionId,
};
use serde_json::{Value, json};

use crate::support::{
    ALICE, BOB, CAROL, DAVE, Given, accepted, context, created, join, leave, profile_of, public,
    say, user,
};

const VERSIONS: [RoomVersionId; 3] = [RoomVersionId::V10, RoomVersionId::V11, RoomVersionId::V12];

fn close(replacement: &Room) -> RoomCommand {
    RoomCommand::Close { replacement: replacement.id().to_owned() }
}

/// The room that replaces a given one, replayed from its events.
fn replacement(
    given: &Given,
    sender: &str,
    version: &RoomVersionId,
    invite: &[Invitee],
) -> Result<Room, Rejection> {
    let context = context(sender, given.now + 1);
    let nonce = "qwertyuiopasdfghjkl";
    let (_, events) =
        given.room.replacement(version, &profile_of(sender), invite, nonce, &context)?;
    let events: Vec<_> = events.iter().map(accepted).collect();
    Ok(Room::replay(events[0].pdu.room_id.clone(), &events))
}

fn ban(id: &str) -> RoomCommand {
    RoomCommand::Ban { user: user(id).to_owned(), reason: Some("spam".to_owned()) }
}

fn levels(change: PowerLevelsChange) -> RoomCommand {
    RoomCommand::SetPowerLevels { change }
}

fn level(id: &str, level: i64) -> PowerLevelsChange {
    PowerLevelsChange {
        users: [(user(id).to_owned(), Some(level))].into(),
        ..PowerLevelsChange::default()
    }
}

/// A room with all settings that a replacement copies.
fn furnished(version: RoomVersionId) -> Given {
    let alias = "#tower:rook.example".try_into().unwrap();
    let given = created(&CreateRoom {
        version: Some(version),
        preset: Preset::Public,
        name: Some("The Tower".to_owned()),
        topic: Some("Ravens".to_owned()),
        avatar_url: Some("mxc://rook.example/tower".to_owned()),
        alias: Some(alias),
        history_visibility: Some(HistoryVisibility::Joined),
        listed: true,
        room_type: Some("m.space".to_owned()),
        ..CreateRoom::default()
    });
    let encryption = RoomCommand::SetState {
        event_type: "m.room.encryption".to_owned(),
        state_key: String::new(),
        content: json!({ "algorithm": "m.megolm.v1.aes-sha2" }).as_object().unwrap().clone(),
    };
    let custom = PowerLevelsChange {
        events: [("m.room.message".to_owned(), Some(0))].into(),
        kick: Some(60),
        ..level(BOB, 70)
    };
    given
        .joined(&[BOB, CAROL])
        .and(ALICE, encryption)
        .and(ALICE, levels(custom))
        .and(ALICE, ban(DAVE))
}

#[test]
fn the_new_room_is_like_the_old_one_in_every_pair_of_versions() {
    for old in VERSIONS {
        for new in VERSIONS {
            let given = furnished(old.clone());
            let room = replacement(&given, ALICE, &new, &[]).unwrap();
            let hint = format!("{old} to {new}");
            assert_eq!(room.version(), Some(&new), "{hint}");
            for kind in [
                "m.room.name",
                "m.room.topic",
                "m.room.avatar",
                "m.room.encryption",
                "m.room.join_rules",
                "m.room.history_visibility",
                "m.room.canonical_alias",
                "org.rookery.directory",
            ] {
                let content = |room: &Room| room.state(kind, "").map(|it| it.content.to_string());
                assert_eq!(content(&room), content(&given.room), "{kind}, {hint}");
                assert_ne!(content(&room), None, "{kind}, {hint}");
            }
            assert_eq!(room.room_type().as_deref(), Some("m.space"), "{hint}");
            let create: Value = room.state("m.room.create", "").unwrap().content_as().unwrap();
            let last = given.room.forward_extremities().last();
            let predecessor = json!({ "room_id": given.room.id(), "event_id": last });
            assert_eq!(create["predecessor"], predecessor, "{hint}");
            assert_eq!(room.membership(user(DAVE)), Membership::Ban, "{hint}");
            assert_eq!(room.membership(user(ALICE)), Membership::Join, "{hint}");
            assert_eq!(room.membership(user(BOB)), Membership::None, "{hint}");
            assert_eq!(room.power_of(user(BOB)), Power::Level(70), "{hint}");
            assert_eq!(room.power_levels().unwrap().kick, 60, "{hint}");
            let head = room.power_of(user(ALICE));
            if new == RoomVersionId::V12 {
                assert_eq!(head, Power::Infinite, "{hint}");
            } else {
                assert!(head >= Power::Level(100) && head > Power::Level(70), "{hint}: {head:?}");
            }
            // The head of the old room has the same powers in the new one.
            let there = Given { room, events: Vec::new(), now: given.now + 10 };
            there.when(ALICE, RoomCommand::SetName { name: "New".to_owned() }).then_one();
        }
    }
}

#[test]
fn whoever_could_upgrade_the_room_can_upgrade_the_new_one() {
    for old in VERSIONS {
        for new in VERSIONS {
            let given = furnished(old.clone());
            let room = replacement(&given, ALICE, &new, &[]).unwrap();
            let there = Given { room, events: Vec::new(), now: given.now + 10 };
            assert_eq!(there.room.check_upgrade(&context(ALICE, 9_000)), Ok(()), "{old} to {new}");
        }
    }
}

#[test]
fn a_moderator_who_may_upgrade_gets_no_more_power_than_she_had() {
    for version in [RoomVersionId::V10, RoomVersionId::V11] {
        let change = PowerLevelsChange {
            events: [("m.room.tombstone".to_owned(), Some(50))].into(),
            ..level(BOB, 50)
        };
        let given = furnished(version.clone()).and(ALICE, levels(change));
        let room = replacement(&given, BOB, &version, &[]).unwrap();
        assert_eq!(room.power_of(user(BOB)), Power::Level(50));
        assert_eq!(room.power_of(user(ALICE)), Power::Level(100), "she keeps hers, and may join");
        assert_eq!(room.membership(user(DAVE)), Membership::Ban);
    }
}

#[test]
fn the_old_room_closes_at_once_and_names_the_new_one() {
    for version in VERSIONS {
        let given = furnished(version.clone());
        let room = replacement(&given, ALICE, &RoomVersionId::V12, &[]).unwrap();
        let outcome = given.clone().when(ALICE, close(&room));
        let events = outcome.result.unwrap();
        let kinds: Vec<_> = events.iter().map(|event| event.kind.to_string()).collect();
        let expected = [
            "m.room.canonical_alias",
            "org.rookery.directory",
            "m.room.power_levels",
            "m.room.tombstone",
        ];
        assert_eq!(kinds, expected);
        let mut closed = given;
        for event in &events {
            closed.room.evolve(&accepted(event));
        }
        assert_eq!(closed.room.replaced_by().as_deref(), Some(room.id()));
        assert_eq!(closed.room.canonical_alias(), None);
        assert!(!closed.room.is_listed());
        closed.clone().when(CAROL, say("is anybody here?")).then_code("ROOM_REPLACED");
        closed.clone().when(ALICE, say("go on over there")).then_code("ROOM_REPLACED");
        let closed = closed.when(ALICE, close(&room)).then_nothing();
        let other = Room::new("!other:rook.example".try_into().unwrap());
        closed
            .clone()
            .when(ALICE, close(&other))
            .then_err(&Rejection::RoomReplaced(room.id().to_owned()));
        let again = replacement(&closed, ALICE, &RoomVersionId::V12, &[]).unwrap_err();
        assert_eq!(again, Rejection::RoomReplaced(room.id().to_owned()));
    }
}

#[test]
fn only_founders_replace_a_room_of_a_version_that_sets_them_above_all_levels() {
    for old in VERSIONS {
        let given = furnished(old.clone()).and(ALICE, levels(level(CAROL, 100)));
        let room = replacement(&given, ALICE, &RoomVersionId::V12, &[]).unwrap();
        assert_eq!(room.power_levels().unwrap().event("m.room.tombstone", true), 150, "{old}");
        let invited = Invitee::from(user(CAROL).to_owned());
        let room = replacement(&given, ALICE, &RoomVersionId::V12, &[invited]).unwrap();
        let there = Given { room, events: Vec::new(), now: given.now + 10 };
        let there = there.joined(&[CAROL]);
        assert_eq!(there.room.power_of(user(CAROL)), Power::Level(100));
        let refused = there.room.check_upgrade(&context(CAROL, 9_000)).unwrap_err();
        assert_eq!(refused.code(), "INSUFFICIENT_POWER");
    }
}

#[test]
fn a_room_that_was_replaced_says_nothing_more_and_lets_people_read_leave_and_redact() {
    let kick = |id: &str| RoomCommand::Kick { user: user(id).to_owned(), reason: None };
    for version in VERSIONS {
        let mut closed = furnished(version);
        let (said, _) = closed.clone().when(CAROL, say("oops")).then_one();
        closed = closed.and(CAROL, say("oops"));
        let room = replacement(&closed, ALICE, &RoomVersionId::V12, &[]).unwrap();
        for event in &closed.clone().when(ALICE, close(&room)).result.unwrap() {
            closed.room.evolve(&accepted(event));
        }
        let replaced = Rejection::RoomReplaced(room.id().to_owned());
        let named = Rejection::replacement_named_in(&replaced.to_string());
        assert_eq!(named.as_deref(), Some(room.id()), "a retry is told the same");
        let id = said.event_id.clone();
        for refused in [
            say("x"),
            RoomCommand::React { event_id: id.clone(), key: "👍".to_owned() },
            RoomCommand::SendEvent {
                event_type: "com.example.x".to_owned(),
                content: said.content_as().unwrap(),
            },
            RoomCommand::SetName { name: "Elsewhere".to_owned() },
            RoomCommand::SetListed { listed: true },
            RoomCommand::Invite {
                invitee: user("@erin:rook.example").to_owned().into(),
                reason: None,
            },
            levels(level(CAROL, 100)),
        ] {
            closed.clone().when(ALICE, &refused).then_err(&replaced);
        }
        let known = [Given::known(&said)];
        let redact = RoomCommand::Redact { event_id: id, reason: None };
        closed.clone().when_knowing(ALICE, &redact, &known).then_one();
        closed.clone().when_knowing(CAROL, &redact, &known).then_one();
        closed.clone().when(ALICE, kick(CAROL)).then_one();
        closed.clone().when(DAVE, say("x")).then_code("BANNED");
        closed.clone().when("@erin:rook.example", say("x")).then_code("NOT_A_MEMBER");
        closed.clone().when("@erin:rook.example", join()).then_one();
        // Everybody may leave.
        closed.when(ALICE, leave()).then_one();
    }
}

#[test]
fn who_may_not_change_the_levels_closes_the_room_all_the_same() {
    let change = PowerLevelsChange {
        events: [("m.room.tombstone".to_owned(), Some(50))].into(),
        ..level(BOB, 50)
    };
    let given = furnished(RoomVersionId::V11).and(ALICE, levels(change));
    let room = replacement(&given, BOB, &RoomVersionId::V11, &[]).unwrap();
    let events = given.when(BOB, close(&room)).result.unwrap();
    let kinds: Vec<_> = events.iter().map(|event| event.kind.to_string()).collect();
    assert_eq!(kinds, ["m.room.canonical_alias", "org.rookery.directory", "m.room.tombstone"]);
}

#[test]
fn only_who_has_the_power_upgrades() {
    let given = public().joined(&[BOB]);
    let refused = replacement(&given, BOB, &RoomVersionId::V12, &[]).unwrap_err();
    assert_eq!(refused.code(), "INSUFFICIENT_POWER");
    let refused = replacement(&given, CAROL, &RoomVersionId::V12, &[]).unwrap_err();
    assert_eq!(refused, Rejection::NotAMember);
    let refused = replacement(&given, ALICE, &RoomVersionId::V9, &[]).unwrap_err();
    assert_eq!(refused.code(), "UNKNOWN_ROOM_VERSION");
    let other = Room::new("!other:rook.example".try_into().unwrap());
    given.clone().when(BOB, close(&other)).then_code("INSUFFICIENT_POWER");
    given.when(CAROL, close(&other)).then_err(&Rejection::NotAMember);
}

#[test]
fn members_of_a_room_by_invitation_are_invited() {
    let rule = RoomCommand::SetJoinRule { rule: JoinRule::Invite };
    let given = furnished(RoomVersionId::V11).and(ALICE, rule);
    let invite: Vec<_> = [BOB, CAROL].map(|id| user(id).to_owned().into()).into();
    let room = replacement(&given, ALICE, &RoomVersionId::V12, &invite).unwrap();
    let there = Given { room, events: Vec::new(), now: given.now + 10 };
    there.and(BOB, join()).and(CAROL, join()).when(DAVE, join()).then_err(&Rejection::Banned);
}
