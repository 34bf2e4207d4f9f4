//! The first screen, its pages, and the changes since an earlier one.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering::Relaxed},
};

use rookery_domain::{
    AccountEvent, ElsewhereEnd, Filter, InvitePreview, JoinRule, Membership, OwnedEventId, Profile,
    RoomId, RoomVersionId, StoredFact,
};
use rookery_log::{Position, StreamId, StreamKind, Unavailable};
use serde_json::json;

use crate::{
    Anchor, Backfill, Begins, InitialSync, Kept, Reader, Scans, SyncError, Unmetered, WantedSync,
    tests::testing::{Scene, room, settle, user},
};

async fn sync(reader: &Reader, wanted: &WantedSync) -> Result<InitialSync, SyncError> {
    reader.initial_sync(&user("bob"), wanted, &Unmetered).await
}

fn rooms(sync: &InitialSync) -> Vec<&RoomId> {
    sync.rooms.iter().map(|synced| &*synced.room_id).collect()
}

/// Bob is in three rooms and invited to a fourth one.
async fn home() -> (Scene, Reader) {
    let mut scene = Scene::new();
    let reader = scene.open().await;
    for name in ["a", "b", "c"] {
        scene.create(name, "alice").await;
        scene.member(name, "bob", "join").await;
    }
    scene.create("d", "alice").await;
    let (bob, invite) = (user("bob"), json!({ "membership": "invite" }));
    scene.send("d", "alice", "m.room.member", Some(bob.as_str()), invite).await;
    settle(&reader).await;
    (scene, reader)
}

#[tokio::test]
async fn all_pages_are_of_the_position_of_the_first_one() {
    let (mut scene, reader) = home().await;
    let wanted = WantedSync { limit: 2, ..WantedSync::default() };
    let first = sync(&reader, &wanted).await.unwrap();
    assert_eq!(rooms(&first), [&*room("c"), &*room("b")]);
    assert_eq!((first.at, first.invites.len()), (reader.view().position(), 1));
    assert!(first.rooms.iter().all(|synced| synced.snapshot.is_some()));
    scene.message("a", "alice").await;
    scene.message("b", "alice").await;
    settle(&reader).await;
    let next = WantedSync { after: first.next, ..wanted.clone() };
    let second = sync(&reader, &next).await.unwrap();
    assert_eq!(rooms(&second), [&*room("a")]);
    assert_eq!((second.at, second.next), (first.at, None));
    assert!(second.rooms[0].snapshot.is_none(), "the room has changed since");
    let other = WantedSync { since: Some(Position(1)), ..next.clone() };
    assert!(matches!(sync(&reader, &other).await, Err(SyncError::OtherSince)));
    let mut place = first.next.unwrap();
    place.at = Position(u64::MAX);
    let unknown = WantedSync { after: Some(place), ..next };
    assert!(matches!(sync(&reader, &unknown).await, Err(SyncError::PositionUnknown)));
}

#[tokio::test]
async fn a_delta_has_the_missed_events_and_the_closed_rooms() {
    let (mut scene, reader) = home().await;
    let since = Some(reader.view().position());
    scene.message("a", "alice").await;
    let topic = json!({ "topic": "tea" });
    scene.send("a", "alice", "m.room.topic", Some(""), topic).await;
    scene.member("b", "bob", "leave").await;
    settle(&reader).await;
    let wanted = WantedSync { limit: 9, since, ..WantedSync::default() };
    let delta = sync(&reader, &wanted).await.unwrap();
    assert_eq!(rooms(&delta), [&*room("a")]);
    assert!(delta.invites.is_empty(), "the invite is old");
    let closed: Vec<_> = delta.closed.iter().map(|closed| &closed.room_id).collect();
    assert_eq!(closed, [&room("b")]);
    let missed = delta.rooms[0].missed.as_ref().unwrap();
    let (tea, bob) = (room("a"), user("bob"));
    let last = reader.last_missed((&tea, &bob), missed, (None, 1), &Unmetered).await.unwrap();
    assert_eq!((last.events.len(), last.has_more), (1, true));
    let changed = reader.missed_state((&tea, &bob), missed, &Unmetered).await.unwrap();
    assert_eq!(changed, [last.events[0].row.key]);
    let (private, stranger) = (json!({ "join_rule": "invite" }), user("dora"));
    scene.send("a", "alice", "m.room.join_rules", Some(""), private).await;
    settle(&reader).await;
    let last = reader.last_missed((&tea, &stranger), missed, (None, 9), &Unmetered).await.unwrap();
    assert!(last.events.is_empty() && !last.has_more);
    let changed = reader.missed_state((&tea, &stranger), missed, &Unmetered).await.unwrap();
    assert!(changed.is_empty());
}

#[tokio::test]
async fn a_filter_chooses_rooms() {
    let (_scene, reader) = home().await;
    let filter = Filter { rooms: Some(vec![room("b")]), ..Filter::default() };
    let wanted = WantedSync { limit: 9, filter: Some(Arc::new(filter)), ..WantedSync::default() };
    assert_eq!(rooms(&sync(&reader, &wanted).await.unwrap()), [&*room("b")]);
    let one = WantedSync { limit: 9, room_id: Some(room("d")), ..WantedSync::default() };
    let one = sync(&reader, &one).await.unwrap();
    assert_eq!((one.rooms.len(), one.invites.len()), (0, 1));
}

/// Other servers, with at most one older event.
struct Elsewhere<'a> {
    scene: &'a Scene,
    reader: &'a Reader,
    older: Option<StoredFact>,
    asked: AtomicUsize,
}

#[async_trait::async_trait]
impl Backfill for Elsewhere<'_> {
    async fn fetch_before(
        &self,
        room: &RoomId,
        before: &[OwnedEventId],
        _: usize,
    ) -> Result<Option<Position>, Unavailable> {
        assert_eq!(before.len(), 1);
        self.asked.fetch_add(1, Relaxed);
        let Some(older) = &self.older else { return Ok(None) };
        let stream = StreamId::new(StreamKind::Room, room.as_str());
        let position = self.scene.append(stream, vec![older.clone()]).await;
        settle(self.reader).await;
        Ok(Some(position))
    }
}

#[tokio::test]
async fn a_page_has_the_events_that_other_servers_just_sent() {
    let (mut scene, reader) = home().await;
    scene.member("half", "bob", "join").await;
    settle(&reader).await;
    let version = json!({ "room_version": "11" });
    let older = Some(scene.event("half", "alice", "m.room.create", Some(""), &version, 1));
    let asked = AtomicUsize::new(0);
    let elsewhere = Elsewhere { scene: &scene, reader: &reader, older, asked };
    let (bob, scans) = (user("bob"), Scans::default());
    let wanted = (Anchor::End, 9, Kept::default());
    let within = (&Unmetered as &dyn crate::Meter, &scans);
    let page = reader.shown_timeline(&room("half"), &bob, wanted, Some(&elsewhere), within).await;
    let page = page.unwrap();
    assert_eq!((page.events.len(), page.begins), (2, Begins::Created));
    assert_eq!(elsewhere.asked.load(Relaxed), 1);
}

#[tokio::test]
async fn other_servers_are_asked_only_for_a_page_that_goes_back_beyond_this_one() {
    let (mut scene, reader) = home().await;
    scene.member("half", "bob", "join").await;
    scene.message("half", "bob").await;
    settle(&reader).await;
    let asked = AtomicUsize::new(0);
    let elsewhere = Elsewhere { scene: &scene, reader: &reader, older: None, asked };
    let page = async |name: &str, anchor, limit| {
        let (bob, scans) = (user("bob"), Scans::default());
        let wanted = (anchor, limit, Kept::default());
        let backfill: Option<&dyn Backfill> = Some(&elsewhere);
        let within = (&Unmetered as &dyn crate::Meter, &scans);
        let page = reader.shown_timeline(&room(name), &bob, wanted, backfill, within).await;
        (page.unwrap().begins, elsewhere.asked.load(Relaxed))
    };
    assert_eq!(page("a", Anchor::End, 50).await, (Begins::Created, 0));
    assert_eq!(page("half", Anchor::Start, 50).await, (Begins::Missing, 0));
    assert_eq!(page("half", Anchor::End, 1).await.1, 0);
    assert_eq!(page("nowhere", Anchor::End, 50).await, (Begins::NotVisible, 0));
    assert_eq!(page("half", Anchor::End, 50).await, (Begins::Missing, 1));
}

/// An invite of Bob to a room that is not here.
fn elsewhere(name: &str) -> AccountEvent {
    let preview = InvitePreview {
        room_id: room(name),
        inviter: user("eve"),
        inviter_profile: Profile::default(),
        reason: None,
        is_direct: false,
        name: Some(format!("hall {name}")),
        topic: None,
        avatar_url: None,
        canonical_alias: None,
        join_rule: JoinRule::Invite,
        room_type: None,
        is_encrypted: false,
    };
    let event_id = "$NOgZIZwD2VX3KAX0eeblevbnzpftZhh13cQ7ZwLvPzM".try_into().unwrap();
    let (membership, version, via) = (Membership::Invite, RoomVersionId::V12, Vec::new());
    let sent = 1;
    let standing = rookery_domain::Elsewhere { membership, preview, event_id, sent, version, via };
    let standing = Box::new(standing);
    AccountEvent::ElsewhereChanged { standing }
}

#[tokio::test]
async fn invites_to_rooms_elsewhere_are_among_the_others_and_their_end_is_in_a_delta() {
    let (mut scene, reader) = home().await;
    scene.account("bob", elsewhere("x")).await;
    scene.account("bob", elsewhere("y")).await;
    settle(&reader).await;
    let first = sync(&reader, &WantedSync { limit: 9, ..WantedSync::default() }).await.unwrap();
    let invites: Vec<_> = first.invites.iter().map(|invite| invite.room_id.clone()).collect();
    assert_eq!(invites, [room("y"), room("x"), room("d")], "newest first");
    let shown = first.invites[0].snapshot.as_ref().unwrap();
    assert_eq!(shown.name.as_deref(), Some("hall y"));
    let (bob, at) = (user("bob"), first.at);
    assert_eq!(reader.view().snapshot(&room("x"), &bob).name.as_deref(), Some("hall x"));
    assert_eq!(reader.view().snapshot(&room("x"), &user("alice")).name, None, "of bob alone");
    let (how, by) = (ElsewhereEnd::Withdrawn, user("eve"));
    let ended = AccountEvent::ElsewhereEnded { room_id: room("x"), how, by: by.clone() };
    scene.account("bob", ended).await;
    // The other one ignores its user from now on.
    scene.account("bob", AccountEvent::UserIgnored { user_id: by }).await;
    settle(&reader).await;
    let delta = WantedSync { limit: 9, since: Some(at), ..WantedSync::default() };
    let delta = sync(&reader, &delta).await.unwrap();
    assert!(delta.invites.is_empty());
    let closed: Vec<_> = delta.closed.iter().map(|closed| closed.room_id.clone()).collect();
    assert_eq!(closed, [room("x")]);
    let now = sync(&reader, &WantedSync { limit: 9, ..WantedSync::default() }).await.unwrap();
    assert_eq!(now.invites.len(), 1, "an invite of an ignored user is not shown");
}
