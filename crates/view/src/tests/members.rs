//! Pages of the members of a room, of its receipts and of its state.

use rookery_domain::{AccountEvent, Fact, Membership};
use rookery_log::{Position, StreamId, StreamKind};
use serde_json::json;

use crate::{
    Reader, Unmetered, WantedMembers, WantedState,
    tests::testing::{Scene, room, settle, user},
};

const MEMBERS: [&str; 5] = ["alice", "bob", "carol", "dan", "eve"];

/// A room that users join by invite, with five members.
async fn tea() -> (Scene, Reader) {
    let mut scene = Scene::new();
    let reader = scene.open().await;
    scene.create("tea", "alice").await;
    let invite = json!({ "join_rule": "invite" });
    scene.send("tea", "alice", "m.room.join_rules", Some(""), invite).await;
    for who in &MEMBERS[1..] {
        scene.member("tea", who, "join").await;
    }
    settle(&reader).await;
    (scene, reader)
}

async fn page(
    reader: &Reader,
    viewer: &str,
    (after, limit): (Option<&str>, usize),
    as_of: Option<Position>,
) -> Vec<(String, Option<String>)> {
    let after = after.map(user);
    let (membership, after) = (Membership::Join, after.as_deref());
    let wanted = WantedMembers { membership, after, limit, as_of };
    let page = reader.members(&room("tea"), &user(viewer), wanted, &Unmetered).await.unwrap();
    let members = page.into_iter();
    members.map(|it| (it.user_id.localpart().to_owned(), it.profile.displayname)).collect()
}

fn names(page: &[(String, Option<String>)]) -> Vec<&str> {
    page.iter().map(|(user, _)| user.as_str()).collect()
}

#[tokio::test]
async fn pages_lead_through_all_members_and_strangers_see_none() {
    let (_scene, reader) = tea().await;
    assert_eq!(names(&page(&reader, "alice", (None, 9), None).await), MEMBERS);
    assert_eq!(names(&page(&reader, "alice", (None, 3), None).await), MEMBERS[..3]);
    assert_eq!(names(&page(&reader, "alice", (Some("carol"), 3), None).await), MEMBERS[3..]);
    assert!(page(&reader, "dora", (None, 9), None).await.is_empty());
    let count = async |viewer: &str, membership| {
        let wanted = (membership, None);
        reader.member_count(&room("tea"), &user(viewer), wanted, &Unmetered).await.unwrap()
    };
    assert_eq!(count("alice", Membership::Join).await, 5);
    assert_eq!(count("alice", Membership::Leave).await, 0);
    assert_eq!(count("dora", Membership::Join).await, 0);
    let one = async |viewer: &str| {
        let wanted = (&*user("bob"), None);
        reader.member(&room("tea"), &user(viewer), wanted, &Unmetered).await.unwrap()
    };
    assert_eq!(one("alice").await.map(|member| member.user_id), Some(user("bob")));
    assert_eq!(one("dora").await, None);
}

#[tokio::test]
async fn members_are_shown_as_of_a_moment() {
    let (mut scene, reader) = tea().await;
    let at = Some(reader.view().position());
    scene.member("tea", "bob", "leave").await;
    let renamed = json!({ "membership": "join", "displayname": "Caroline" });
    let carol = user("carol");
    scene.send("tea", "carol", "m.room.member", Some(carol.as_str()), renamed).await;
    scene.member("tea", "fay", "join").await;
    settle(&reader).await;
    let then = page(&reader, "alice", (None, 9), at).await;
    assert_eq!(names(&then), MEMBERS);
    assert_eq!((then[1].1.as_deref(), then[2].1.as_deref()), (Some("bob"), Some("carol")));
    let now = page(&reader, "alice", (None, 9), None).await;
    assert_eq!(names(&now), ["alice", "carol", "dan", "eve", "fay"]);
    assert_eq!(now[1].1.as_deref(), Some("Caroline"));
    let counted = (Membership::Join, at);
    let count = reader.member_count(&room("tea"), &user("alice"), counted, &Unmetered).await;
    assert_eq!(count.unwrap(), 5);
}

#[tokio::test]
async fn only_members_see_receipts_newest_first() {
    let (scene, reader) = tea().await;
    for (number, who) in (1..).zip(MEMBERS) {
        let event = AccountEvent::ReceiptMoved {
            room_id: room("tea"),
            event_id: format!("$event{number}").as_str().try_into().unwrap(),
            sequence: number,
            private: who == "dan",
        };
        let stream = StreamId::new(StreamKind::User, user(who).as_str());
        scene.append(stream, vec![Fact::Account(event).store([1; 16])]).await;
    }
    settle(&reader).await;
    let receipts = async |viewer: &str, after: Option<&str>, limit| {
        let after = after.map(user);
        let wanted = (after.as_deref(), limit);
        let found = reader.receipts(&room("tea"), &user(viewer), wanted, &Unmetered).await;
        let found = found.unwrap()?.into_iter();
        Some(found.map(|(user, _)| user.localpart().to_owned()).collect::<Vec<_>>())
    };
    let all = ["eve", "carol", "bob", "alice"].map(str::to_owned);
    assert_eq!(receipts("alice", None, 9).await.unwrap(), all);
    assert_eq!(receipts("alice", None, 2).await.unwrap(), all[..2]);
    assert_eq!(receipts("alice", Some("carol"), 9).await.unwrap(), all[2..]);
    assert_eq!(receipts("alice", Some("dan"), 9).await, None, "a private receipt");
    assert_eq!(receipts("dora", None, 9).await.unwrap(), [""; 0]);
    assert_eq!(receipts("dora", Some("carol"), 9).await, None);
    let view = reader.view();
    let tea = view.room(&room("tea")).unwrap();
    let up_to = |user_id: &str, viewer: &str| tea.read_up_to(&user(user_id), &user(viewer));
    assert!(up_to("eve", "alice").is_some() && up_to("dan", "dan").is_some());
    assert!(up_to("dan", "alice").is_none() && up_to("eve", "dora").is_none());
}

#[tokio::test]
async fn only_viewers_inside_see_state() {
    let (_scene, reader) = tea().await;
    let state = async |viewer: &str, wanted: WantedState<'_>| {
        let found = reader.state(&room("tea"), &user(viewer), wanted, &Unmetered).await.unwrap();
        let kinds = found.iter().map(|event| event.event().pdu.kind.to_string());
        kinds.collect::<Vec<_>>()
    };
    let all = WantedState { limit: 99, ..WantedState::default() };
    assert_eq!(state("alice", all).await.len(), 4 + MEMBERS.len());
    assert!(state("dora", all).await.is_empty());
    let first = state("alice", WantedState { limit: 1, ..all }).await;
    assert_eq!(first, ["m.room.create"]);
    let after = ("m.room.create".to_owned(), String::new());
    let second = WantedState { limit: 1, after: Some(&after), ..all };
    assert_eq!(state("alice", second).await, ["m.room.join_rules"]);
    let kind = WantedState { kind: Some("m.room.member"), ..all };
    assert_eq!(state("alice", kind).await.len(), MEMBERS.len());
}
