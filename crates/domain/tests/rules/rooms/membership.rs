//! Joins, leaves, invites, kicks and bans.

use rookery_domain::{
    JoinRule, Membership, OwnedRoomId, PowerLevelsChange, Profile, Rejection, RoomCommand,
    RoomVersionId,
};
use serde_json::json;

use crate::support::{
    ALICE, BOB, CAROL, DAVE, Given, accepted, invite, join, leave, private, profile_of, public,
    public_of, say, user,
};

fn kick(id: &str) -> RoomCommand {
    RoomCommand::Kick { user: user(id).to_owned(), reason: Some("noise".to_owned()) }
}

fn ban(id: &str) -> RoomCommand {
    RoomCommand::Ban { user: user(id).to_owned(), reason: None }
}

fn unban(id: &str) -> RoomCommand {
    RoomCommand::Unban { user: user(id).to_owned(), reason: None }
}

fn knock() -> RoomCommand {
    RoomCommand::Knock { reason: Some("let me in".to_owned()) }
}

fn rule(rule: JoinRule) -> RoomCommand {
    RoomCommand::SetJoinRule { rule }
}

fn other_room() -> OwnedRoomId {
    "!other:rook.example".try_into().unwrap()
}

fn admits_members_of_other() -> Given {
    public().and(ALICE, rule(JoinRule::Restricted(vec![other_room()])))
}

fn no_power(needed: i64, have: i64, action: &str) -> Rejection {
    Rejection::InsufficientPower { needed, have, action: action.to_owned() }
}

#[test]
fn joining_carries_the_profile() {
    public()
        .when(BOB, join())
        .then("m.room.member", json!({ "membership": "join", "displayname": "bob" }));
}

#[test]
fn joining_again_changes_nothing() {
    public().joined(&[BOB]).when(BOB, join()).then_nothing();
}

#[test]
fn a_stranger_cannot_join_a_private_room() {
    private().when(BOB, join()).then_err(&Rejection::NotInvited);
}

#[test]
fn the_banned_cannot_join() {
    public().and(ALICE, ban(BOB)).when(BOB, join()).then_err(&Rejection::Banned);
}

#[test]
fn an_invited_user_joins_a_private_room_but_not_after_she_left() {
    let given = private().and(ALICE, invite(BOB)).and(BOB, join()).and(BOB, leave());
    given.when(BOB, join()).then_err(&Rejection::NotInvited);
}

#[test]
fn a_restricted_room_admits_members_of_the_named_room_in_the_name_of_a_moderator() {
    let join = RoomCommand::Join { reason: None, member_of: Some(other_room()) };
    admits_members_of_other().when(BOB, join).then(
        "m.room.member",
        json!({
            "membership": "join",
            "displayname": "bob",
            "join_authorised_via_users_server": ALICE,
        }),
    );
}

#[test]
fn a_restricted_room_admits_nobody_else() {
    let elsewhere = OwnedRoomId::try_from("!else:rook.example").unwrap();
    let wrong = RoomCommand::Join { reason: None, member_of: Some(elsewhere) };
    admits_members_of_other().when(BOB, wrong).then_err(&Rejection::NotInAllowedRoom);
    admits_members_of_other().when(BOB, join()).then_err(&Rejection::NotInAllowedRoom);
}

#[test]
fn a_restricted_room_whose_moderators_have_left_admits_nobody() {
    let given = admits_members_of_other().and(ALICE, leave());
    let join = RoomCommand::Join { reason: None, member_of: Some(other_room()) };
    given.when(BOB, join).then_err(&Rejection::NobodyCanAdmit);
}

#[test]
fn a_restricted_room_still_takes_invites() {
    let given = admits_members_of_other().and(ALICE, invite(BOB)).and(BOB, join());
    assert_eq!(given.room.membership(user(BOB)), Membership::Join);
}

#[test]
fn leaving_again_changes_nothing_and_a_stranger_cannot_leave() {
    let given = public().joined(&[BOB]).and(BOB, leave());
    given.when(BOB, leave()).then_nothing().when(CAROL, leave()).then_err(&Rejection::NotAMember);
}

#[test]
fn leaving_does_not_lift_a_ban() {
    let given = public().and(ALICE, ban(BOB)).when(BOB, leave()).then_nothing();
    assert_eq!(given.room.membership(user(BOB)), Membership::Ban);
}

#[test]
fn an_invite_can_be_declined_once() {
    let given = private().and(ALICE, invite(BOB));
    given
        .when(BOB, leave())
        .then("m.room.member", json!({ "membership": "leave" }))
        .when(BOB, leave())
        .then_nothing();
}

#[test]
fn a_knock_is_answered_by_an_invite() {
    let given = public().and(ALICE, rule(JoinRule::Knock));
    given
        .when(BOB, knock())
        .then(
            "m.room.member",
            json!({ "membership": "knock", "displayname": "bob", "reason": "let me in" }),
        )
        .when(BOB, knock())
        .then_nothing()
        .when(BOB, join())
        .then_err(&Rejection::NotInvited);
    let given = public().and(ALICE, rule(JoinRule::Knock)).and(BOB, knock());
    let given = given.and(ALICE, invite(BOB)).and(BOB, join());
    given.when(BOB, knock()).then_nothing();
}

#[test]
fn knocking_needs_a_room_that_listens() {
    private().when(BOB, knock()).then_err(&Rejection::NotKnockable);
    let given = public().and(ALICE, rule(JoinRule::Knock)).and(ALICE, ban(BOB));
    given.when(BOB, knock()).then_err(&Rejection::Banned);
}

#[test]
fn members_of_a_private_room_invite() {
    let given = private().and(ALICE, invite(BOB)).and(BOB, join());
    given
        .when(BOB, invite(CAROL))
        .then("m.room.member", json!({ "membership": "invite" }))
        .when(BOB, invite(CAROL))
        .then_nothing();
}

#[test]
fn inviting_a_member_changes_nothing() {
    public().joined(&[BOB]).when(ALICE, invite(BOB)).then_nothing();
}

#[test]
fn inviting_needs_membership_and_power_and_a_guest_who_is_not_banned() {
    public().when(BOB, invite(CAROL)).then_err(&Rejection::NotAMember);
    public().joined(&[BOB]).when(BOB, invite(CAROL)).then_err(&no_power(50, 0, "to invite"));
    let banned = Rejection::TargetBanned(user(BOB).to_owned());
    public().and(ALICE, ban(BOB)).when(ALICE, invite(BOB)).then_err(&banned);
}

#[test]
fn a_stranger_learns_nothing_about_members() {
    let given = private().and(ALICE, invite(BOB));
    for command in [invite(BOB), kick(BOB), ban(BOB), unban(BOB)] {
        given.clone().when(DAVE, command).then_err(&Rejection::NotAMember);
    }
}

#[test]
fn a_kick_says_why_and_ends_membership() {
    let given = public().joined(&[BOB]);
    let given = given
        .when(ALICE, kick(BOB))
        .then("m.room.member", json!({ "membership": "leave", "reason": "noise" }));
    given
        .when(ALICE, kick(BOB))
        .then_nothing()
        .when(BOB, say("?"))
        .then_err(&Rejection::NotAMember);
}

#[test]
fn kicking_yourself_is_leaving() {
    let given = public().joined(&[BOB]).and(BOB, kick(BOB));
    assert_eq!(given.room.membership(user(BOB)), Membership::Leave);
}

#[test]
fn kicking_the_banned_does_not_let_them_back() {
    let given = public().and(ALICE, ban(BOB)).when(ALICE, kick(BOB)).then_nothing();
    assert_eq!(given.room.membership(user(BOB)), Membership::Ban);
}

#[test]
fn kicking_needs_power_above_the_target_and_a_target() {
    let given = public().joined(&[BOB, CAROL]);
    given.clone().when(BOB, kick(CAROL)).then_err(&no_power(50, 0, "to remove members"));
    let stranger = Rejection::TargetNotInRoom(user(DAVE).to_owned());
    given.clone().when(ALICE, kick(DAVE)).then_err(&stranger);
    let given =
        given.and(ALICE, crate::power::level(BOB, 50)).and(ALICE, crate::power::level(CAROL, 50));
    given.when(BOB, kick(CAROL)).then_err(&Rejection::TargetNotBelow(user(CAROL).to_owned()));
}

#[test]
fn nobody_bans_the_creator() {
    let given = public().joined(&[BOB]).and(ALICE, crate::power::level(BOB, 100));
    given.when(BOB, ban(ALICE)).then_err(&Rejection::TargetNotBelow(user(ALICE).to_owned()));
}

#[test]
fn a_ban_holds_until_it_is_lifted() {
    let given = public().joined(&[BOB]);
    given
        .when(ALICE, ban(BOB))
        .then("m.room.member", json!({ "membership": "ban" }))
        .when(ALICE, ban(BOB))
        .then_nothing()
        .when(ALICE, unban(BOB))
        .then("m.room.member", json!({ "membership": "leave" }))
        .when(ALICE, unban(BOB))
        .then_nothing()
        .and(BOB, join());
}

#[test]
fn bans_need_power_and_somebody_else() {
    let given = public().joined(&[BOB, CAROL]);
    given.clone().when(BOB, ban(CAROL)).then_err(&no_power(50, 0, "to ban"));
    given.clone().when(ALICE, ban(ALICE)).then_err(&Rejection::TargetIsSelf);
    given.and(ALICE, ban(CAROL)).when(BOB, unban(CAROL)).then_err(&no_power(50, 0, "to lift bans"));
}

#[test]
fn lifting_a_ban_needs_the_power_to_kick_too() {
    let kick = PowerLevelsChange { kick: Some(60), ..Default::default() };
    let given = public().joined(&[BOB, CAROL]).and(ALICE, crate::power::level(BOB, 50));
    let given = given.and(ALICE, RoomCommand::SetPowerLevels { change: kick });
    given.and(BOB, ban(CAROL)).when(BOB, unban(CAROL)).then_err(&no_power(60, 50, "to lift bans"));
}

#[test]
fn a_profile_reaches_the_room_once_and_drops_what_belonged_to_the_join() {
    let join = RoomCommand::Join { reason: Some("hi".to_owned()), member_of: Some(other_room()) };
    let given = admits_members_of_other().and(BOB, join);
    let profile = Profile {
        displayname: Some("Bobby".to_owned()),
        avatar_url: Some("mxc://rook.example/abc".to_owned()),
    };
    let command = RoomCommand::SetMemberProfile { profile };
    given
        .when(BOB, &command)
        .then(
            "m.room.member",
            json!({
                "membership": "join",
                "displayname": "Bobby",
                "avatar_url": "mxc://rook.example/abc",
            }),
        )
        .when(BOB, &command)
        .then_nothing()
        .when(CAROL, &command)
        .then_err(&Rejection::NotAMember);
}

#[test]
fn a_profile_that_is_none_is_refused() {
    let avatar = Profile { avatar_url: Some("https://evil.example/a".into()), ..profile_of(BOB) };
    let given = public().joined(&[BOB]);
    given
        .clone()
        .when(BOB, RoomCommand::SetMemberProfile { profile: avatar })
        .then_code("INVALID_CONTENT");
    let name = Profile { displayname: Some("x".repeat(257)), avatar_url: None };
    given.when(BOB, RoomCommand::SetMemberProfile { profile: name }).then_code("TOO_LARGE");
}

#[test]
fn a_reason_has_a_limit() {
    let command = RoomCommand::Leave { reason: Some("x".repeat(4_097)), successor: None };
    public().joined(&[BOB]).when(BOB, command).then_code("TOO_LARGE");
}

#[test]
fn an_invite_shows_the_room_only_while_it_stands() {
    let name = RoomCommand::SetName { name: "Den".to_owned() };
    let given = private().and(ALICE, name).and(ALICE, invite(BOB));
    let preview = given.room.invite_preview(user(BOB)).unwrap();
    assert_eq!(preview.name.as_deref(), Some("Den"));
    assert_eq!(preview.inviter, ALICE);
    assert_eq!(preview.inviter_profile, profile_of(ALICE));
    assert_eq!(preview.join_rule, JoinRule::Invite);
    let given = given.and(BOB, leave());
    assert_eq!(given.room.invite_preview(user(BOB)), None);
    assert_eq!(given.room.invite_preview(user(ALICE)), None);
}

#[test]
fn a_private_room_exists_for_those_only_who_have_to_do_with_it() {
    let given = private().and(ALICE, invite(BOB));
    assert!(given.room.exists_for(user(ALICE)));
    assert!(given.room.exists_for(user(BOB)));
    assert!(!given.room.exists_for(user(CAROL)));
    assert!(public().room.exists_for(user(CAROL)));
}

fn leave_to(successor: &str) -> RoomCommand {
    RoomCommand::Leave { reason: None, successor: Some(user(successor).to_owned()) }
}

#[test]
fn the_last_head_names_a_successor_or_stays_as_long_as_others_are_there() {
    for version in [RoomVersionId::V10, RoomVersionId::V11, RoomVersionId::V12] {
        let alone = public_of(version.clone());
        alone.clone().when(ALICE, leave()).then_one();
        let given = alone.joined(&[BOB]);
        given.clone().when(BOB, leave()).then_one();
        given.clone().when(ALICE, leave()).then_err(&Rejection::LastHead);
        assert_eq!(Rejection::LastHead.code(), "WOULD_LOCK_OUT");
        // Removing oneself is leaving.
        given.clone().when(ALICE, kick(ALICE)).then_err(&Rejection::LastHead);
        for nobody in [CAROL, ALICE] {
            let missing = Rejection::TargetNotInRoom(user(nobody).to_owned());
            given.clone().when(ALICE, leave_to(nobody)).then_err(&missing);
        }
        let left = given.clone().when(ALICE, leave_to(BOB)).result.unwrap();
        let kinds: Vec<_> = left.iter().map(|event| event.kind.to_string()).collect();
        assert_eq!(kinds, ["m.room.power_levels", "m.room.member"], "in one commit");
        let mut without = given;
        for event in &left {
            without.room.evolve(&accepted(event));
        }
        assert!(without.room.may_send(user(BOB), "m.room.power_levels", true), "{version}");
        assert_eq!(without.room.membership(user(ALICE)), Membership::Leave);
        // The successor is the last head now.
        without.joined(&[CAROL]).when(BOB, leave()).then_err(&Rejection::LastHead);
    }
}

#[test]
fn who_is_not_the_last_head_leaves_and_may_give_power_to_nobody_without_having_it() {
    let given = public().joined(&[BOB, CAROL]);
    given.clone().when(BOB, leave_to(CAROL)).then_code("INSUFFICIENT_POWER");
    let users = [(user(BOB).to_owned(), Some(100))].into();
    let change = PowerLevelsChange { users, ..PowerLevelsChange::default() };
    let two = given.and(ALICE, RoomCommand::SetPowerLevels { change });
    two.clone().when(ALICE, leave()).then_one();
    // Bob has the power already, so only the leave follows.
    two.when(ALICE, leave_to(BOB)).then_one();
}
