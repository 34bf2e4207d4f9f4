//! The view of members, invited users, former members and strangers of a room and of each other.

use rookery_domain::{Profile, ProfileAudience};
use serde_json::json;

use crate::{
    Access, NotJoined, Reader, RoomSnapshot, Unmetered,
    tests::testing::{Scene, room, settle, user},
};

/// A room that users join by invite. Alice is in it, bob is invited, carol has left it, and dora is
/// a stranger.
async fn tea() -> (Scene, Reader) {
    let mut scene = Scene::new();
    let reader = scene.open().await;
    scene.create("tea", "alice").await;
    let invite = json!({ "join_rule": "invite" });
    scene.send("tea", "alice", "m.room.join_rules", Some(""), invite).await;
    scene.member("tea", "carol", "join").await;
    scene.message("tea", "carol").await;
    scene.member("tea", "carol", "leave").await;
    let (bob, invite) = (user("bob"), json!({ "membership": "invite" }));
    scene.send("tea", "alice", "m.room.member", Some(bob.as_str()), invite).await;
    settle(&reader).await;
    (scene, reader)
}

#[tokio::test]
async fn a_snapshot_holds_only_what_its_viewer_may_see() {
    let (_scene, reader) = tea().await;
    let view = reader.view();
    let found = view.room(&room("tea")).unwrap();
    let of = |who: &str| RoomSnapshot::of(&found, &user(who));
    let (alice, bob, carol, dora) = (of("alice"), of("bob"), of("carol"), of("dora"));
    let access = [&alice, &bob, &carol, &dora].map(|snapshot| snapshot.access);
    assert_eq!(access, [Access::Inside, Access::Outside, Access::Past, Access::Nothing]);
    let inside = |it: &RoomSnapshot| (it.creator.clone(), it.invited_count);
    assert_eq!(inside(&alice), (Some(user("alice")), Some(1)));
    for snapshot in [&bob, &carol, &dora] {
        assert_eq!(inside(snapshot), (None, None), "{snapshot:?}");
    }
    for snapshot in [&alice, &bob] {
        assert_eq!(snapshot.name.as_deref(), Some("tea"));
        assert_eq!((snapshot.member_count, snapshot.my_power.is_some()), (Some(1), true));
    }
    for snapshot in [&carol, &dora] {
        let RoomSnapshot { name, member_count, join_rule, my_power, .. } = snapshot;
        assert!(name.is_none() && member_count.is_none(), "{snapshot:?}");
        assert!(join_rule.is_none() && my_power.is_none(), "{snapshot:?}");
    }
    assert!(carol.last_message.is_some() && dora.last_message.is_none());
}

#[tokio::test]
async fn a_room_is_named_by_its_members_to_members_and_by_the_inviter_to_invited_users() {
    let (_scene, reader) = tea().await;
    let view = reader.view();
    let named = |who: &str| view.named_by_members(&room("tea"), &user(who), &Unmetered).unwrap();
    assert_eq!(named("alice").as_deref(), Some("bob"));
    assert_eq!(named("bob").as_deref(), Some("alice"));
    assert_eq!((named("carol"), named("dora")), (None, None));
}

#[tokio::test]
async fn a_member_has_a_peer_in_a_conversation_of_two_and_nobody_else_has_one() {
    let (_scene, reader) = tea().await;
    let view = reader.view();
    let peer = |who: &str| view.peer_in(&room("tea"), &user(who), &Unmetered).unwrap();
    assert_eq!(peer("alice"), Some(user("bob")));
    for who in ["bob", "carol", "dora"] {
        assert_eq!(peer(who), None, "{who} has not joined");
    }
}

#[tokio::test]
async fn only_the_invited_user_has_an_invite() {
    let (_scene, reader) = tea().await;
    let invite = reader.invite(&room("tea"), &user("bob")).await.unwrap().unwrap();
    assert_eq!(invite.event().pdu.sender, user("alice"));
    for who in ["alice", "carol", "dora"] {
        assert!(reader.invite(&room("tea"), &user(who)).await.unwrap().is_none(), "{who}");
    }
}

#[tokio::test]
async fn a_refusal_reveals_a_room_only_to_users_who_know_of_it() {
    let (_scene, reader) = tea().await;
    let view = reader.view();
    let joined = |who: &str| view.check_joined(&room("tea"), &user(who));
    assert_eq!(joined("alice"), Ok(()));
    assert_eq!((joined("bob"), joined("carol")), (Err(NotJoined::NotAMember), joined("bob")));
    assert_eq!(joined("dora"), Err(NotJoined::NoSuchRoom));
    assert_eq!(joined("dora"), view.check_joined(&room("nowhere"), &user("dora")));
    let known =
        ["alice", "bob", "carol", "dora"].map(|who| view.knows_room(&room("tea"), &user(who)));
    assert_eq!(known, [true, true, true, false]);
    let active = ["alice", "bob"].map(|who| view.activity_for(&room("tea"), &user(who)).is_some());
    assert_eq!(active, [true, false]);
}

#[tokio::test]
async fn profiles_and_presence_are_for_users_who_share_a_room() {
    let (mut scene, reader) = tea().await;
    scene.profile("alice", "Alice at home").await;
    scene.member("tea", "eve", "join").await;
    settle(&reader).await;
    let view = reader.view();
    let alice = user("alice");
    let shown = |who: &str, place: Option<&str>, audience| {
        let (place, viewer) = (place.map(room), user(who));
        let seen = view.profile_for(&alice, place.as_deref(), (&viewer, audience), &Unmetered);
        seen.unwrap()
    };
    let own = Some("Alice at home");
    for (who, closed) in [("alice", own), ("eve", own), ("bob", None), ("dora", None)] {
        let seen = shown(who, None, ProfileAudience::SharedRooms);
        assert_eq!(seen.displayname.as_deref(), closed, "{who}");
        let seen = shown(who, None, ProfileAudience::Users);
        assert_eq!(seen.displayname.as_deref(), own, "{who}");
    }
    // In the room she has no name. Invited users see that, strangers do not.
    assert_eq!(shown("bob", Some("tea"), ProfileAudience::Users), Profile::default());
    assert_eq!(shown("dora", Some("tea"), ProfileAudience::Users).displayname.as_deref(), own);
    let present = |who: &str| view.sees_presence(&alice, &user(who), &Unmetered).unwrap();
    assert_eq!(["alice", "eve", "bob", "dora"].map(present), [true, true, false, false]);
    assert_eq!(view.companions(&alice, 9), [user("alice"), user("eve")]);
    assert_eq!(view.companions(&user("dora"), 9), [user("dora")]);
    let among = |who: &str| {
        let all = ["alice", "carol", "eve"].map(user);
        view.joined_among(&room("tea"), &user(who), all).collect::<Vec<_>>()
    };
    assert_eq!(among("eve"), [user("alice"), user("eve")]);
    assert!(among("carol").is_empty());
}

#[tokio::test]
async fn a_user_is_known_by_a_room_or_a_profile_and_not_by_an_invite() {
    let (mut scene, reader) = tea().await;
    scene.profile("frank", "Frank").await;
    settle(&reader).await;
    let view = reader.view();
    let known = ["alice", "frank", "bob", "dora"].map(|who| view.knows_user(&user(who)));
    assert_eq!(known, [true, true, false, false]);
}
