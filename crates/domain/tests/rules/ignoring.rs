//! Ignored users: who may be ignored, how many, and what that hides.

use rookery_domain::{Account, AccountCommand, AccountEvent, Bound, IgnoredUsers, OwnedUserId};

use crate::support::{ALICE, BOB, public, say, user};

fn ignore(who: &str, is_ignored: bool) -> AccountCommand {
    let (own, user_id) = (user(ALICE).to_owned(), OwnedUserId::try_from(who).unwrap());
    AccountCommand::SetIgnored { own, user_id, is_ignored }
}

/// Carries out the command, and returns its events or the code of its refusal.
fn carry_out(
    account: &mut Account,
    command: &AccountCommand,
) -> Result<Vec<AccountEvent>, &'static str> {
    let events = account.decide(command).map_err(|rejection| rejection.code())?;
    for event in &events {
        account.evolve(event);
    }
    Ok(events)
}

#[test]
fn a_user_is_ignored_once_and_until_unignored() {
    let mut account = Account::default();
    let bob = || user(BOB).to_owned();
    let (ignored, unignored) = (
        vec![AccountEvent::UserIgnored { user_id: bob() }],
        vec![AccountEvent::UserUnignored { user_id: bob() }],
    );
    assert_eq!(carry_out(&mut account, &ignore(BOB, false)), Ok(Vec::new()));
    assert_eq!(carry_out(&mut account, &ignore(BOB, true)), Ok(ignored.clone()));
    assert_eq!(carry_out(&mut account, &ignore(BOB, true)), Ok(Vec::new()));
    assert_eq!(carry_out(&mut account, &ignore(BOB, false)), Ok(unignored));
    assert_eq!(carry_out(&mut account, &ignore(BOB, true)), Ok(ignored));
}

#[test]
fn nobody_ignores_themselves() {
    let refused = carry_out(&mut Account::default(), &ignore(ALICE, true));
    assert_eq!(refused, Err("TARGET_IS_SELF"));
}

#[test]
fn a_user_ignores_so_many_users() {
    let mut account = Account::default();
    for number in 0..Bound::IgnoredUsers.max() {
        let command = ignore(&format!("@user{number}:rook.example"), true);
        assert_eq!(carry_out(&mut account, &command).map(|events| events.len()), Ok(1));
    }
    let one_more = ignore(BOB, true);
    assert_eq!(carry_out(&mut account, &one_more), Err("TOO_MANY_IGNORED_USERS"));
    let one_less = ignore("@user7:rook.example", false);
    assert_eq!(carry_out(&mut account, &one_less).map(|events| events.len()), Ok(1));
    assert_eq!(carry_out(&mut account, &one_more).map(|events| events.len()), Ok(1));
}

#[test]
fn ignoring_hides_messages_and_no_state() {
    let given = public().and(BOB, crate::support::join()).and(BOB, say("hello"));
    let mut ignored = IgnoredUsers::default();
    assert!(given.events.iter().all(|event| !ignored.hide(event)));
    ignored.set(user(BOB), true);
    let hidden: Vec<_> = given.events.iter().filter(|event| ignored.hide(event)).collect();
    assert_eq!(hidden, [given.events.last().unwrap()], "the join stays");
    ignored.set(user(BOB), false);
    ignored.set(user(ALICE), true);
    assert!(given.events.iter().all(|event| !ignored.hide(event)), "all of hers is state");
}
