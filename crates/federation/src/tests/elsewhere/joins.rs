//! Joins of rooms of another server.

use std::{sync::Arc, time::Duration};

use rookery_command::{Command, Retry};
use rookery_domain::{JoinRule, Membership, OwnedRoomAliasId, RoomCommand, RoomOrAliasId};
use serde_json::{Value, json};

use super::{LONG, refusal, two};
use crate::tests::{
    troubles::Trouble,
    world::{Certificate, Here, now},
};

#[tokio::test]
async fn a_user_joins_a_room_of_another_server_and_both_talk() {
    let (here, there) = two().await;
    let room = there.public_room().await;
    let joined = here.join_via("ann", &room, &there).await.unwrap();
    assert_eq!((joined.room_id.as_ref(), joined.remote.as_ref()), (Some(&room), None));
    assert_eq!(joined.events.len(), 1, "the answer has the join");
    let ann = here.server.user("ann");
    assert_eq!(here.membership(&room, &ann).await, Membership::Join);
    assert_eq!(there.membership(&room, &ann).await, Membership::Join);
    here.say(&room, "from here").await;
    there.say(&room, "from there").await;
    here.until_said(&room, "from there").await;
    there.until_said(&room, "from here").await;
}

#[tokio::test]
async fn a_user_joins_by_an_alias_of_another_server() {
    let (here, there) = two().await;
    let room = there.public_room().await;
    let alias: OwnedRoomAliasId = format!("#garden:{}", there.name).try_into().unwrap();
    let command = RoomCommand::SetAliases { canonical: Some(alias.clone()), alternative: vec![] };
    there.server.act("ann", &room, &command, now()).await.unwrap();
    let alias: &RoomOrAliasId = (&*alias).into();
    let begun = here.begin_join("ann", alias, &[], Retry::Unnamed).await.unwrap();
    let joined = here.server.commands.settled(begun, LONG).await.unwrap();
    assert_eq!(joined.room_id, Some(room));
    let unknown: OwnedRoomAliasId = format!("#nothing:{}", there.name).try_into().unwrap();
    let unknown: &RoomOrAliasId = (&*unknown).into();
    let begun = here.begin_join("ann", unknown, &[], Retry::Unnamed).await.unwrap();
    assert_eq!(refusal(here.server.commands.settled(begun, LONG).await).0, "NO_SUCH_ROOM");
}

#[tokio::test]
async fn later_actions_of_the_device_go_on_while_a_join_is_pending_and_a_retry_gets_its_outcome() {
    let (here, there) = two().await;
    let room = there.public_room().await;
    there
        .troubles
        .plan(|path| if path.contains("make_join") { Trouble::Stalls } else { Trouble::None });
    let via = [there.name.clone()];
    let target: &RoomOrAliasId = (&*room).into();
    let begun = here.begin_join("ann", target, &via, Retry::Action(1)).await.unwrap();
    there.troubles.until("make_join", 1).await;
    let pending = here.server.commands.settled(begun, Duration::ZERO).await.unwrap();
    assert!(pending.remote.is_some(), "the join goes on");
    let actor = here.device_of("ann");
    let command = Command::SetUserIgnored { user: &there.server.user("eve"), is_ignored: true };
    let done = here.server.commands.execute(&actor, command, Retry::Action(2)).await.unwrap();
    assert!(done.changed && done.position > pending.position);
    // A retry while it goes on is the same action.
    let again = here.begin_join("ann", target, &via, Retry::Action(1)).await.unwrap();
    assert_eq!((again.remote.as_ref(), again.repeated), (pending.remote.as_ref(), true));
    there.troubles.end();
    // The stalled request ends with the process, which begins again.
    let mut here = here;
    here.restart_sender().await;
    let joined = here.server.commands.settled(again, LONG).await.unwrap();
    let again = here.begin_join("ann", target, &via, Retry::Action(1)).await.unwrap();
    let again = here.server.commands.settled(again, LONG).await.unwrap();
    assert_eq!((again.position, again.room_id), (joined.position, Some(room)));
    assert_eq!(here.ends("ann").await.len(), 1);
}

#[tokio::test]
async fn a_join_that_nobody_answers_names_the_servers_and_why_each_failed() {
    let (here, there) = two().await;
    let room = there.public_room().await;
    there.troubles.plan(|_| Trouble::Refused(500, "M_UNKNOWN"));
    let away = crate::tests::world::unused_name();
    let via = [away.clone(), there.name.clone()];
    let target: &RoomOrAliasId = (&*room).into();
    let begun = here.begin_join("ann", target, &via, Retry::Action(1)).await.unwrap();
    let (code, message) = refusal(here.server.commands.settled(begun, LONG).await);
    assert_eq!(code, "SERVER_UNREACHABLE");
    for name in [&away, &there.name] {
        assert!(message.contains(name.as_str()), "{name}: {message}");
    }
    there.troubles.end();
    let again = here.begin_join("ann", target, &via, Retry::Action(1)).await.unwrap();
    let again = refusal(here.server.commands.settled(again, LONG).await);
    assert_eq!(again, (code, message), "the same action has the same outcome");
}

#[tokio::test]
async fn a_server_that_forbids_a_join_is_named_with_its_reason() {
    let (here, there) = two().await;
    let room = there.room_with(JoinRule::Invite).await;
    let (code, message) = refusal(here.join_via("ann", &room, &there).await);
    assert_eq!(code, "FORBIDDEN");
    assert!(message.contains(there.name.as_str()) && message.contains("invited"), "{message}");
    let unknown = there.server.user("ann");
    let unknown = format!("!nothing:{}", unknown.server_name());
    let unknown: rookery_domain::OwnedRoomId = unknown.try_into().unwrap();
    assert_eq!(refusal(here.join_via("ann", &unknown, &there).await).0, "NO_SUCH_ROOM");
}

#[tokio::test]
async fn answers_that_lie_or_never_end_join_nothing() {
    let lies: [(&str, &str, Trouble); 9] = [
        (
            "make_join",
            "another user",
            Trouble::Lies(|it| {
                it["event"]["sender"] = json!("@eve:other.example");
            }),
        ),
        (
            "make_join",
            "another user",
            Trouble::Lies(|it| {
                it["event"]["state_key"] = json!("@eve:other.example");
            }),
        ),
        (
            "make_join",
            "another room",
            Trouble::Lies(|it| {
                it["event"]["room_id"] = json!("!other:other.example");
            }),
        ),
        (
            "make_join",
            "another event",
            Trouble::Lies(|it| {
                it["event"]["content"]["membership"] = json!("leave");
            }),
        ),
        ("make_join", "version 1", Trouble::Lies(|it| it["room_version"] = Value::Null)),
        ("make_join", "too long", Trouble::NeverEnds),
        ("send_join", "create event", Trouble::Lies(|it| it["state"] = json!([]))),
        (
            "send_join",
            "does not let the user in",
            Trouble::Lies(|it| {
                let other = json!(
                    "c2lnbmF0dXJlc2lnbmF0dXJlc2lnbmF0dXJlc2lnbmF0dXJlc2lnbmF0dXJlc2lnbmF0dXJlc2lnbmF0dXJlMA"
                );
                for list in ["state", "auth_chain"] {
                    for event in it[list].as_array_mut().unwrap() {
                        for keys in event["signatures"].as_object_mut().unwrap().values_mut() {
                            for made in keys.as_object_mut().unwrap().values_mut() {
                                *made = other.clone();
                            }
                        }
                    }
                }
            }),
        ),
        ("send_join", "503", Trouble::Refused(503, "M_UNKNOWN")),
    ];
    for (request, why, trouble) in lies {
        let (here, there) = two().await;
        let room = there.public_room().await;
        there
            .troubles
            .plan(move |path| if path.contains(request) { trouble } else { Trouble::None });
        let (code, message) = refusal(here.join_via("ann", &room, &there).await);
        assert_eq!(code, "SERVER_UNREACHABLE", "{why}: {message}");
        assert!(message.contains(why), "{why}: {message}");
        assert_eq!(here.membership(&room, &here.server.user("ann")).await, Membership::None);
        // The same room can be joined once the server tells the truth.
        there.troubles.end();
        let joined = here.join_via("ann", &room, &there).await;
        assert!(joined.is_ok(), "{why}: {joined:?}");
    }
}

#[tokio::test]
async fn a_server_that_stalls_delays_no_join_of_another_user() {
    let certificate = Arc::new(Certificate::new());
    let here = Here::open(&certificate).await;
    let (stalls, well) = (Here::open(&certificate).await, Here::open(&certificate).await);
    let (dead, room) = (stalls.public_room().await, well.public_room().await);
    stalls.troubles.plan(|_| Trouble::Stalls);
    let via = [stalls.name.clone()];
    for number in 1..=20 {
        let retry = Retry::Action(number);
        here.begin_join("ben", (&*dead).into(), &via, retry).await.unwrap();
    }
    // One more waits for the end of the others.
    let more = here.begin_join("ben", (&*dead).into(), &via, Retry::Action(21)).await;
    assert_eq!(refusal(more).0, "TOO_MANY_REMOTE_ACTIONS");
    assert!(here.join_via("ann", &room, &well).await.is_ok());
}

#[tokio::test]
async fn two_users_who_join_a_room_at_once_are_both_in_it() {
    let (here, there) = two().await;
    let room = there.public_room().await;
    let (one, two) =
        tokio::join!(here.join_via("ann", &room, &there), here.join_via("ben", &room, &there));
    assert_eq!(
        [one.unwrap().room_id, two.unwrap().room_id],
        [Some(room.clone()), Some(room.clone())]
    );
    for name in ["ann", "ben"] {
        let user = here.server.user(name);
        assert_eq!(here.membership(&room, &user).await, Membership::Join, "{name}");
        there.until_member(&room, &user, Membership::Join).await;
    }
    // Both servers go on with one state.
    here.say(&room, "after").await;
    there.until_said(&room, "after").await;
}

#[tokio::test]
async fn a_room_whose_users_here_all_left_is_joined_through_its_servers_again() {
    let (here, there) = two().await;
    let room = there.public_room().await;
    here.join_via("ann", &room, &there).await.unwrap();
    let ann = here.server.user("ann");
    let leave = RoomCommand::Leave { reason: None, successor: None };
    here.server.act("ann", &room, &leave, now()).await.unwrap();
    there.until_member(&room, &ann, Membership::Leave).await;
    let topic = RoomCommand::SetTopic { topic: "missed".to_owned() };
    there.server.act("ann", &room, &topic, now()).await.unwrap();
    // Nobody names a server: those of the room are known.
    let begun = here.begin_join("ann", (&*room).into(), &[], Retry::Unnamed).await.unwrap();
    assert!(begun.remote.is_some(), "it is not decided on the old state");
    here.server.commands.settled(begun, LONG).await.unwrap();
    let topic = |room: Option<&rookery_domain::Room>| {
        room.and_then(|room| room.state("m.room.topic", "").map(|it| it.content.to_string()))
    };
    let topic = here.server.commands.look_at_room(&room, topic).await.unwrap();
    assert!(topic.is_some_and(|topic| topic.contains("missed")));
}

#[tokio::test]
async fn a_restricted_room_is_joined_with_the_signature_of_its_server() {
    let (here, there) = two().await;
    let lobby = there.public_room().await;
    let room = there.room_with(JoinRule::Restricted(vec![lobby.clone()])).await;
    let (code, _) = refusal(here.join_via("ann", &room, &there).await);
    assert_eq!(code, "FORBIDDEN");
    here.join_via("ann", &lobby, &there).await.unwrap();
    // A server that does not sign lets nobody in.
    there.troubles.plan(|path| {
        if path.contains("send_join") {
            Trouble::Lies(|it| {
                let own =
                    it["event"]["sender"].as_str().unwrap().split_once(':').unwrap().1.to_owned();
                it["event"]["signatures"].as_object_mut().unwrap().retain(|name, _| *name == own);
            })
        } else {
            Trouble::None
        }
    });
    let (code, message) = refusal(here.join_via("ann", &room, &there).await);
    assert_eq!(code, "SERVER_UNREACHABLE", "{message}");
    there.troubles.end();
    here.join_via("ann", &room, &there).await.unwrap();
    // The next user is let in by the other server as well, though this one is in the room by now.
    here.join_via("ben", &lobby, &there).await.unwrap();
    here.join_via("ben", &room, &there).await.unwrap();
    there.until_member(&room, &here.server.user("ben"), Membership::Join).await;
}

#[tokio::test]
async fn without_other_servers_a_join_elsewhere_is_refused() {
    let here = rookery_command::testing::Server::in_memory("one.example");
    let room: rookery_domain::OwnedRoomId = "!room:two.example".try_into().unwrap();
    let command = &RoomCommand::Join { reason: None, member_of: None };
    let via = ["two.example".try_into().unwrap()];
    let command = Command::Enter { room: (&*room).into(), command, via: &via };
    let actor = rookery_command::Actor::for_server(here.user("ann"), rookery_log::Millis(1));
    let refused = here.commands.execute(&actor, command, Retry::Unnamed).await;
    assert_eq!(refusal(refused).0, "FEDERATION_OFF");
}

#[tokio::test]
async fn a_user_follows_a_room_of_another_server_that_was_upgraded() {
    let (here, there) = two().await;
    let room = there.public_room().await;
    here.join_via("ann", &room, &there).await.unwrap();
    // Room IDs of this version name no server.
    let version = rookery_domain::RoomVersionId::V12;
    let command = Command::UpgradeRoom { room: &room, version: &version };
    let actor =
        rookery_command::Actor::for_server(there.server.user("ann"), rookery_log::Millis(now()));
    let upgraded = there.server.commands.execute(&actor, command, Retry::Unnamed).await.unwrap();
    let new = upgraded.replacement.unwrap();
    let mut tail = here.server.log.tail();
    let has_tombstone = |room: Option<&rookery_domain::Room>| {
        room.is_some_and(|room| room.state("m.room.tombstone", "").is_some())
    };
    while !here.server.commands.look_at_room(&room, has_tombstone).await.unwrap() {
        tail.changed().await.unwrap();
    }
    // Nobody names a server: those of the old room are asked.
    let begun = here.begin_join("ann", (&*new).into(), &[], Retry::Unnamed).await.unwrap();
    here.server.commands.settled(begun, LONG).await.unwrap();
    assert_eq!(here.membership(&new, &here.server.user("ann")).await, Membership::Join);
}

#[tokio::test]
async fn a_join_ends_if_its_device_is_logged_out_before_the_other_server_answers() {
    let (mut here, there) = two().await;
    let room = there.public_room().await;
    for request in ["make_join", "send_join"] {
        there
            .troubles
            .plan(move |path| if path.contains(request) { Trouble::Stalls } else { Trouble::None });
        let seen = there.troubles.count(request);
        let number = if request == "make_join" { 1 } else { 2 };
        let (via, retry) = ([there.name.clone()], Retry::Action(number));
        let begun = here.begin_join("ann", (&*room).into(), &via, retry).await.unwrap();
        there.troubles.until(request, seen + 1).await;
        here.logged_out.store(true, std::sync::atomic::Ordering::Relaxed);
        there.troubles.end();
        here.restart_sender().await;
        assert_eq!(refusal(here.server.commands.settled(begun, LONG).await).0, "FORBIDDEN");
        assert_eq!(here.membership(&room, &here.server.user("ann")).await, Membership::None);
        here.logged_out.store(false, std::sync::atomic::Ordering::Relaxed);
    }
}
