//! Invites between servers, requests to join, and their ends.

use rookery_command::{Command, HandleError, Outcome, Retry};
use rookery_domain::{
    AccountEvent, CreateRoom, ElsewhereEnd, Invitee, JoinRule, Membership, OwnedUserId,
    RoomCommand, RoomId,
};
use serde_json::json;

use super::{LONG, refusal, two};
use crate::tests::{
    peer::Peer,
    troubles::Trouble,
    world::{Certificate, Here, now},
};

impl Here {
    async fn invite(
        &self,
        room: &RoomId,
        user: &OwnedUserId,
        action: u64,
    ) -> Result<Outcome, HandleError> {
        let invite = RoomCommand::Invite { invitee: Invitee::from(user.clone()), reason: None };
        self.do_and_wait("ann", room, &invite, action).await
    }

    async fn do_and_wait(
        &self,
        name: &str,
        room: &RoomId,
        command: &RoomCommand,
        action: u64,
    ) -> Result<Outcome, HandleError> {
        let command = Command::InRoom { room, command };
        let (actor, retry) = (self.device_of(name), Retry::Action(action));
        let begun = self.server.commands.execute(&actor, command, retry).await?;
        self.server.commands.settled(begun, LONG).await
    }
}

#[tokio::test]
async fn an_invite_reaches_the_user_of_the_other_server_who_joins_through_the_inviter() {
    let (here, there) = two().await;
    let room = here.room_with(JoinRule::Invite).await;
    let bob = there.server.user("bob");
    let invited = here.invite(&room, &bob, 1).await.unwrap();
    assert_eq!(invited.events.len(), 1, "the answer has the invite");
    assert_eq!(here.membership(&room, &bob).await, Membership::Invite);
    let rooms = there.server.commands.elsewhere(&bob).await.unwrap();
    let standing = &rooms.get(&room).unwrap().standing;
    let preview = &standing.preview;
    assert_eq!(preview.name.as_deref(), Some("Garden"));
    assert_eq!(
        (&preview.inviter, &preview.join_rule),
        (&here.server.user("ann"), &JoinRule::Invite)
    );
    // Nobody names a server.
    let begun = there.begin_join("bob", (&*room).into(), &[], Retry::Action(1)).await.unwrap();
    there.server.commands.settled(begun, LONG).await.unwrap();
    here.until_member(&room, &bob, Membership::Join).await;
    assert!(there.server.commands.elsewhere(&bob).await.unwrap().is_empty());
}

#[tokio::test]
async fn an_invite_that_is_declined_is_gone_at_once_and_the_other_server_learns_of_it() {
    let (here, there) = two().await;
    let room = here.room_with(JoinRule::Invite).await;
    let bob = there.server.user("bob");
    here.invite(&room, &bob, 1).await.unwrap();
    // A leave that gets no answer removes it here too.
    here.troubles.plan(|_| Trouble::Refused(502, ""));
    let leave = RoomCommand::Leave { reason: None, successor: None };
    there.do_and_wait("bob", &room, &leave, 1).await.unwrap();
    assert!(there.server.commands.elsewhere(&bob).await.unwrap().is_empty());
    here.troubles.until("make_leave", 1).await;
    here.troubles.end();
    here.until_member(&room, &bob, Membership::Leave).await;
}

#[tokio::test]
async fn an_invite_that_is_withdrawn_is_gone_and_others_cannot_withdraw_it() {
    let certificate = std::sync::Arc::new(Certificate::new());
    let (here, there) = (Here::open(&certificate).await, Here::open(&certificate).await);
    let peer = Peer::open(&certificate).await;
    let room = here.room_with(JoinRule::Invite).await;
    let bob = there.server.user("bob");
    here.invite(&room, &bob, 1).await.unwrap();
    let forged = json!({
        "room_version": "12",
        "event": {
            "room_id": room, "type": "m.room.member", "state_key": bob, "depth": 9,
            "content": { "membership": "leave" }, "prev_events": [], "auth_events": [],
        },
    });
    let (_, forged) = peer.complete(&forged);
    let body = json!({ "pdus": [forged], "origin": peer.name, "origin_server_ts": now() });
    peer.ask(&there, "PUT", "/_matrix/federation/v1/send/1", Some(body)).await;
    assert_eq!(there.server.commands.elsewhere(&bob).await.unwrap().len(), 1);
    let kick = RoomCommand::Kick { user: bob.clone(), reason: None };
    here.server.act("ann", &room, &kick, now()).await.unwrap();
    there.until_elsewhere("bob", &room, false).await;
    let ended = there.own_events("bob").await.into_iter().find_map(|event| match event {
        AccountEvent::ElsewhereEnded { how, by, .. } => Some((how, by)),
        _ => None,
    });
    assert_eq!(ended, Some((ElsewhereEnd::Withdrawn, here.server.user("ann"))));
}

#[tokio::test]
async fn an_invite_whose_server_is_away_or_does_not_sign_is_no_part_of_the_room() {
    let cases = [
        Trouble::Refused(502, ""),
        Trouble::NeverEnds,
        Trouble::Lies(|it| it["event"]["depth"] = json!(3)),
        Trouble::Lies(|it| {
            let own = it["event"]["sender"].as_str().unwrap().split_once(':').unwrap().1.to_owned();
            it["event"]["signatures"].as_object_mut().unwrap().retain(|name, _| *name == own);
        }),
    ];
    for trouble in cases {
        let (here, there) = two().await;
        let room = here.room_with(JoinRule::Invite).await;
        let bob = there.server.user("bob");
        there
            .troubles
            .plan(move |path| if path.contains("invite") { trouble } else { Trouble::None });
        let (code, message) = refusal(here.invite(&room, &bob, 1).await);
        assert_eq!(code, "SERVER_UNREACHABLE", "{message}");
        assert!(message.contains(there.name.as_str()), "{message}");
        assert_eq!(here.membership(&room, &bob).await, Membership::None);
    }
}

#[tokio::test]
async fn the_server_that_signs_an_invite_cannot_change_its_content() {
    let (here, there) = two().await;
    let room = here.room_with(JoinRule::Invite).await;
    let bob = there.server.user("bob");
    // The event ID does not cover this field.
    there.troubles.plan(|path| {
        if path.contains("invite") {
            Trouble::Lies(|it| it["event"]["content"]["reason"] = json!("another"))
        } else {
            Trouble::None
        }
    });
    let invited = here.invite(&room, &bob, 1).await.unwrap();
    let json = String::from_utf8_lossy(&invited.events[0].json).into_owned();
    assert!(!json.contains("another"), "{json}");
    assert!(json.contains(there.name.as_str()) && json.contains("signatures"), "{json}");
}

#[tokio::test]
async fn an_invite_that_the_room_forbids_is_refused_before_any_server_is_asked() {
    let (here, there) = two().await;
    let room = here.room_with(JoinRule::Invite).await;
    let bob = there.server.user("bob");
    let ban = RoomCommand::Ban { user: bob.clone(), reason: None };
    here.server.act("ann", &room, &ban, now()).await.unwrap();
    assert_eq!(refusal(here.invite(&room, &bob, 1).await).0, "TARGET_BANNED");
    assert_eq!(there.troubles.count("invite"), 0);
}

#[tokio::test]
async fn invites_that_are_not_what_they_claim_are_refused() {
    let certificate = std::sync::Arc::new(Certificate::new());
    let (here, peer) = (Here::open(&certificate).await, Peer::open(&certificate).await);
    let room = format!("!room:{}", peer.name);
    let ann = here.server.user("ann");
    let template = |kind: &str, membership: &str, user: &OwnedUserId| {
        json!({ "room_version": "10", "event": {
            "room_id": room, "type": kind, "state_key": user, "depth": 9,
            "content": { "membership": membership }, "prev_events": [], "auth_events": [],
        } })
    };
    let state = json!([
        { "type": "m.room.name", "state_key": "", "sender": peer.user(), "content": { "name": "Hall" } },
        { "type": "m.room.topic", "state_key": "", "sender": 7, "content": {} },
        "nonsense",
    ]);
    let segment = crate::paths::percent(&room);
    let ask = async |template: &serde_json::Value, version: &str, unsign: bool| {
        let (id, mut event) = peer.complete(template);
        if unsign {
            event["signatures"] = json!({});
        }
        let path = format!(
            "/_matrix/federation/v2/invite/{segment}/{}",
            crate::paths::percent(id.as_str())
        );
        let body = json!({ "room_version": version, "event": event, "invite_room_state": state });
        peer.ask(&here, "PUT", &path, Some(body)).await
    };
    let other: OwnedUserId = "@eve:other.example".try_into().unwrap();
    let (status, body) = ask(&template("m.room.member", "invite", &ann), "99", false).await;
    assert_eq!((status, body["errcode"].as_str()), (400, Some("M_INCOMPATIBLE_ROOM_VERSION")));
    for (template, unsign, expected) in [
        (template("m.room.member", "join", &ann), false, 400),
        (template("m.room.topic", "invite", &ann), false, 400),
        (template("m.room.member", "invite", &other), false, 400),
        (template("m.room.member", "invite", &ann), true, 403),
    ] {
        let (status, body) = ask(&template, "10", unsign).await;
        assert_eq!(status, expected, "{body}");
    }
    assert!(here.server.commands.elsewhere(&ann).await.unwrap().is_empty());
    let (status, body) = ask(&template("m.room.member", "invite", &ann), "10", false).await;
    assert_eq!(status, 200, "{body}");
    assert!(body["event"]["signatures"][here.name.as_str()].is_object(), "{body}");
    let rooms = here.server.commands.elsewhere(&ann).await.unwrap();
    let standing = &rooms.iter().next().unwrap().1.standing;
    assert_eq!(standing.preview.name.as_deref(), Some("Hall"), "one bad part breaks nothing");
}

#[tokio::test]
async fn a_request_to_join_is_accepted_or_refused() {
    let (here, there) = two().await;
    let room = there.room_with(JoinRule::Knock).await;
    let via = [there.name.clone()];
    let command = &RoomCommand::Knock { reason: Some("please".to_owned()) };
    for (name, accepts) in [("ann", true), ("ben", false)] {
        let user = here.server.user(name);
        let command = Command::Enter { room: (&*room).into(), command, via: &via };
        let actor = here.device_of(name);
        let begun = here.server.commands.execute(&actor, command, Retry::Action(1)).await.unwrap();
        here.server.commands.settled(begun, LONG).await.unwrap();
        assert_eq!(there.membership(&room, &user).await, Membership::Knock);
        let rooms = here.server.commands.elsewhere(&user).await.unwrap();
        let standing = &rooms.get(&room).unwrap().standing;
        assert_eq!(standing.membership, Membership::Knock);
        assert_eq!(standing.preview.name.as_deref(), Some("Garden"));
        if accepts {
            there.invite(&room, &user, 1).await.unwrap();
            let begun =
                here.begin_join(name, (&*room).into(), &[], Retry::Action(2)).await.unwrap();
            here.server.commands.settled(begun, LONG).await.unwrap();
            there.until_member(&room, &user, Membership::Join).await;
            let leave = RoomCommand::Leave { reason: None, successor: None };
            here.server.act(name, &room, &leave, now()).await.unwrap();
            there.until_member(&room, &user, Membership::Leave).await;
        } else {
            let kick = RoomCommand::Kick { user, reason: None };
            there.server.act("ann", &room, &kick, now()).await.unwrap();
            here.until_elsewhere(name, &room, false).await;
        }
    }
}

#[tokio::test]
async fn a_new_room_invites_users_of_other_servers_once_also_after_a_retry() {
    let (here, there) = two().await;
    let (bob, ben) = (there.server.user("bob"), here.server.user("ben"));
    let invite = [&bob, &ben].map(|user| Invitee::from(user.clone())).to_vec();
    let create = CreateRoom { invite, is_direct: true, ..CreateRoom::default() };
    let (actor, command) = (here.device_of("ann"), Command::CreateRoom { room: &create });
    let made = here.server.commands.execute(&actor, command, Retry::Action(1)).await.unwrap();
    let room = made.room_id.unwrap();
    assert_eq!(here.membership(&room, &ben).await, Membership::Invite, "in the same commit");
    here.until_member(&room, &bob, Membership::Invite).await;
    let again = here.server.commands.execute(&actor, command, Retry::Action(1)).await.unwrap();
    assert_eq!(again.room_id.as_ref(), Some(&room));
    let begun = here.own_events("ann").await.into_iter();
    let begun = begun.filter(|event| matches!(event, AccountEvent::RemoteBegun { .. }));
    assert_eq!(begun.count(), 1);
    let rooms = there.server.commands.elsewhere(&bob).await.unwrap();
    assert!(rooms.get(&room).unwrap().standing.preview.is_direct);
}
