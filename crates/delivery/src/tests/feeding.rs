//! The items of one user, which do not depend on where the user resumes.

use std::sync::Arc;

use proptest::prelude::*;
use rookery_domain::{AccountEvent, Fact};
use rookery_log::{EventLog, Position, Scope, StreamId, StreamKind};
use rookery_projection::decode;
use rookery_view::Closing;
use serde_json::json;

use crate::{
    FeedItem, Feeds,
    feed::Feed,
    tests::testing::{Scene, room, user},
};

/// One word for each item.
pub(super) fn word(item: &FeedItem) -> String {
    match item {
        FeedItem::Event { committed, index, .. } => {
            committed.room_event(*index).map(|event| event.pdu.kind.to_string()).unwrap_or_default()
        }
        FeedItem::Skipped { why, .. } => format!("skipped: {why:?}"),
        FeedItem::Resolved { kind, .. } => format!("resolved: {kind}"),
        FeedItem::Opened { .. } => "opened".into(),
        FeedItem::Closed { how, .. } => format!("closed: {how:?}"),
        FeedItem::OpenedByAlias { .. } => "opened by an alias".into(),
        FeedItem::ClosedByAlias { .. } => "closed by an alias".into(),
        FeedItem::Invited { .. } => "invited".into(),
        FeedItem::ProfileChanged { .. } => "profile".into(),
        FeedItem::ReceiptMoved { .. } => "receipt".into(),
        FeedItem::PreferencesChanged { .. } => "preferences".into(),
        FeedItem::ElsewhereChanged { .. } => "elsewhere".into(),
        FeedItem::InvitedForService { .. } => "invited for the service".into(),
        FeedItem::DevicesChanged { .. } => "devices".into(),
    }
}

/// All items for `who` after `after`, from a feed that starts there.
async fn told(scene: &Scene, models: &Feeds, who: &str, after: Position) -> Vec<String> {
    let who = user(who);
    let mut feed = {
        let view = models.view();
        let memberships = view.memberships_of(&who).map(|(room, _)| {
            let stream = StreamId::new(StreamKind::Room, room.as_str());
            (stream, view.membership_at(room, &who, after))
        });
        Feed::new(&who, memberships)
    };
    let records = scene.log.read(&Scope::All, after, 4_096).await.unwrap();
    let commits = decode(&*scene.log, &records).await.unwrap();
    let commits = commits.into_iter().map(Arc::new);
    let items = commits.flat_map(|commit| feed.take(&commit, models.reader()).unwrap());
    items.map(|item| word(&item)).collect()
}

/// Changes Bob's membership in Alice's room, by Alice or by Bob.
async fn change(scene: &mut Scene, by: &str, membership: &str) {
    let (key, content) = (user("bob"), json!({ "membership": membership }));
    scene.send("tea", by, "m.room.member", Some(key.as_str()), content).await;
}

/// The items for Bob during `changes`, with a message of Alice's after each of them.
async fn story(changes: &[(&str, &str)]) -> Vec<String> {
    let mut scene = Scene::new();
    scene.create("tea", "alice").await;
    for (by, membership) in changes {
        change(&mut scene, by, membership).await;
        scene.message("tea", "alice").await;
    }
    let models = scene.open().await;
    told(&scene, &models, "bob", Position::ORIGIN).await
}

#[tokio::test]
async fn a_join_opens_the_room_before_its_own_event() {
    let told = story(&[("bob", "join")]).await;
    assert_eq!(told, ["opened", "m.room.member", "m.room.message"]);
}

#[tokio::test]
async fn nothing_follows_a_leave_a_kick_or_a_ban() {
    for (by, membership, how) in [
        ("bob", "leave", Closing::Left),
        ("alice", "leave", Closing::Kicked),
        ("alice", "ban", Closing::Banned),
    ] {
        let told = story(&[("bob", "join"), (by, membership)]).await;
        let closed = format!("closed: {how:?}");
        assert_eq!(told[2..], ["m.room.message", "m.room.member", &closed]);
    }
}

#[tokio::test]
async fn an_invite_is_told_and_its_end_too() {
    let declined = story(&[("alice", "invite"), ("bob", "leave")]).await;
    assert_eq!(declined, ["invited", "m.room.member", "closed: Declined"]);
    let withdrawn = story(&[("alice", "invite"), ("alice", "leave")]).await;
    assert_eq!(withdrawn, ["invited", "m.room.member", "closed: Withdrawn"]);
}

#[tokio::test]
async fn a_new_name_does_not_open_the_room_again() {
    let told = story(&[("bob", "join"), ("bob", "join")]).await;
    assert_eq!(told.iter().filter(|word| *word == "opened").count(), 1);
}

#[tokio::test]
async fn only_ones_own_profile_is_told() {
    let mut scene = Scene::new();
    scene.profile("alice", "Alicia").await;
    scene.profile("bob", "Robert").await;
    let models = scene.open().await;
    assert_eq!(told(&scene, &models, "bob", Position::ORIGIN).await, ["profile"]);
}

fn receipt(event: &str, private: bool) -> AccountEvent {
    let (room_id, event_id) = (room("tea"), event.try_into().unwrap());
    AccountEvent::ReceiptMoved { room_id, event_id, sequence: 1, private }
}

pub(super) async fn note(scene: &Scene, who: &str, event: AccountEvent) {
    let stream = StreamId::new(StreamKind::User, user(who).as_str());
    scene.append(stream, vec![Fact::Account(event).store([3; 16])]).await;
}

#[tokio::test]
async fn receipts_are_told_to_the_members_and_private_ones_to_their_owner_alone() {
    let mut scene = Scene::new();
    scene.create("tea", "alice").await;
    note(&scene, "alice", receipt("$a", false)).await;
    scene.member("tea", "bob", "join").await;
    note(&scene, "alice", receipt("$b", false)).await;
    note(&scene, "alice", receipt("$c", true)).await;
    scene.member("tea", "bob", "leave").await;
    note(&scene, "alice", receipt("$d", false)).await;
    let models = scene.open().await;
    let count = async |who| {
        let told = told(&scene, &models, who, Position::ORIGIN).await;
        told.iter().filter(|word| *word == "receipt").count()
    };
    assert_eq!((count("alice").await, count("bob").await, count("carol").await), (4, 1, 0));
}

#[tokio::test]
async fn devices_are_told_to_their_owner_alone() {
    let mut scene = Scene::new();
    scene.create("tea", "alice").await;
    scene.member("tea", "bob", "join").await;
    let after = *scene.log.tail().borrow();
    let device_id = "PHONE".to_owned();
    note(&scene, "alice", AccountEvent::DeviceAdded { device_id: device_id.clone(), name: None })
        .await;
    note(&scene, "alice", AccountEvent::DeviceRemoved { device_id }).await;
    let models = scene.open().await;
    assert_eq!(told(&scene, &models, "alice", after).await, ["devices", "devices"]);
    assert_eq!(told(&scene, &models, "bob", after).await, [] as [&str; 0]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn a_feed_that_resumes_anywhere_tells_the_rest_of_what_one_that_never_stopped_tells(
        changes in prop::collection::vec((prop::bool::ANY, 0..4_usize), 0..12),
        cut in 0..30_u64,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let mut scene = Scene::new();
            scene.create("tea", "alice").await;
            for (by_self, membership) in changes {
                let by = if by_self { "bob" } else { "alice" };
                change(&mut scene, by, ["join", "leave", "invite", "ban"][membership]).await;
                scene.message("tea", "alice").await;
            }
            let models = scene.open().await;
            let end = *scene.log.tail().borrow();
            let cut = Position(cut.min(end.0));
            let whole = told(&scene, &models, "bob", Position::ORIGIN).await;
            let rest = told(&scene, &models, "bob", cut).await;
            prop_assert!(whole.ends_with(&rest), "{whole:?} does not end with {rest:?}");
            Ok(())
        })?;
    }
}
