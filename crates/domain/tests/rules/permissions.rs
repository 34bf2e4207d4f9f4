//! The permissions of a user, compared with the decisions of the rules.

use rookery_domain::{
    HistoryVisibility, JoinRule, Permissions, PowerLevelsChange, Rejection, RoomCommand,
};

use crate::support::{ALICE, BOB, CAROL, DAVE, Given, invite, public, say, user};

/// An example of each action, with the answer for it.
fn examples(may: &Permissions) -> Vec<(bool, RoomCommand)> {
    let target = |id: &str| user(id).to_owned();
    let change = PowerLevelsChange { users_default: Some(-7), ..PowerLevelsChange::default() };
    let mut examples = vec![
        (may.send_messages, say("an example")),
        (may.invite, invite("@example:rook.example")),
        (may.ban, RoomCommand::Ban { user: target("@example:rook.example"), reason: None }),
        (may.set_name, RoomCommand::SetName { name: "an example".into() }),
        (may.set_topic, RoomCommand::SetTopic { topic: "an example".into() }),
        (may.set_avatar, RoomCommand::SetAvatar { url: Some("mxc://rook.example/x".into()) }),
        (may.set_join_rule, RoomCommand::SetJoinRule { rule: JoinRule::Knock }),
        (may.set_join_rule, RoomCommand::SetJoinRule { rule: JoinRule::Public }),
        (
            may.set_history_visibility,
            RoomCommand::SetHistoryVisibility { visibility: HistoryVisibility::WorldReadable },
        ),
        (may.set_power_levels, RoomCommand::SetPowerLevels { change }),
    ];
    for id in [ALICE, BOB, CAROL, DAVE] {
        examples.push((may.kick, RoomCommand::Kick { user: target(id), reason: None }));
        examples.push((may.ban, RoomCommand::Ban { user: target(id), reason: None }));
    }
    examples
}

/// The answer of a decision; `None` if it depends on the example.
fn decided(result: &Result<Vec<std::sync::Arc<rookery_domain::Pdu>>, Rejection>) -> Option<bool> {
    match result {
        Ok(events) => (!events.is_empty()).then_some(true),
        Err(
            Rejection::InsufficientPower { .. }
            | Rejection::NotAMember
            | Rejection::Banned
            | Rejection::RoomReplaced(_),
        ) => Some(false),
        Err(_) => None,
    }
}

/// Compares the answers for all users with the decisions. Returns how many were compared.
pub(crate) fn compare(given: &Given) -> usize {
    let mut compared = 0;
    for sender in [ALICE, BOB, CAROL, DAVE] {
        let may = given.room.permissions(user(sender));
        for (answer, command) in examples(&may) {
            let is_self = matches!(
                &command,
                RoomCommand::Kick { user: target, .. } | RoomCommand::Ban { user: target, .. }
                    if *target == *user(sender)
            );
            let result = given.clone().when(sender, &command).result;
            if let Some(decided) = decided(&result).filter(|_| !is_self) {
                assert_eq!(answer, decided, "{sender} {command:?}: {result:?}");
                compared += 1;
            }
        }
    }
    compared
}

#[test]
fn what_a_user_may_do_is_what_the_rules_decide() {
    let given = public().joined(&[BOB, CAROL]);
    let levels = PowerLevelsChange {
        users: [(user(BOB).to_owned(), Some(50))].into(),
        events: [("m.room.topic".to_owned(), Some(0))].into(),
        ..PowerLevelsChange::default()
    };
    let given = given.and(ALICE, RoomCommand::SetPowerLevels { change: levels });
    let may = |id| given.room.permissions(user(id));
    assert!(may(ALICE).set_power_levels && may(BOB).kick && !may(BOB).set_power_levels);
    assert!(may(CAROL).send_messages && may(CAROL).set_topic && !may(CAROL).set_name);
    assert_eq!(may(DAVE), Permissions::default(), "who has not joined may do nothing");
    assert!(compare(&given) > 40, "{}", compare(&given));
}

#[test]
fn in_a_replaced_room_nobody_may_say_anything() {
    let replacement = "!next:rook.example".try_into().unwrap();
    let given = public().joined(&[BOB]);
    let given = given.and(ALICE, RoomCommand::Close { replacement });
    let may = given.room.permissions(user(ALICE));
    assert!(!may.send_messages && !may.set_name && may.kick && may.set_join_rule, "{may:?}");
    assert!(may.manage_webhooks, "they can be deleted: {may:?}");
    compare(&given);
}

#[test]
fn webhooks_need_the_level_of_state_or_a_level_of_their_own() {
    let given = public().joined(&[BOB, CAROL]);
    let may = |given: &Given, id| given.room.permissions(user(id)).manage_webhooks;
    assert!(may(&given, ALICE) && !may(&given, BOB) && !may(&given, DAVE));
    let refused = given.room.require_webhooks(user(BOB));
    let (needed, have) = (50, 0);
    let action = "to change webhooks".to_owned();
    assert_eq!(refused, Err(Rejection::InsufficientPower { needed, have, action }));
    assert_eq!(given.room.require_webhooks(user(DAVE)), Err(Rejection::NotAMember));
    let levels = PowerLevelsChange {
        users: [(user(BOB).to_owned(), Some(10))].into(),
        events: [("org.rookery.webhooks".to_owned(), Some(10))].into(),
        ..PowerLevelsChange::default()
    };
    let given = given.and(ALICE, RoomCommand::SetPowerLevels { change: levels });
    assert!(may(&given, BOB) && !may(&given, CAROL));
}

#[test]
fn redactions_of_others_need_the_level_to_redact() {
    let given = public().joined(&[BOB, CAROL]).and(CAROL, say("hello"));
    let event = given.events.last().unwrap().event_id.clone();
    for sender in [ALICE, BOB] {
        let command = RoomCommand::Redact { event_id: event.clone(), reason: None };
        let result = given.clone().when(sender, command).result;
        assert_eq!(decided(&result), Some(given.room.permissions(user(sender)).redact_others));
    }
}
