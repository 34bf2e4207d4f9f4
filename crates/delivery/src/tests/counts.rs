//! The unread counts that a stream owes.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use rookery_domain::{AccountEvent, Fact, Filter, Notifications, RoomPreferences};
use rookery_log::{Millis, Position, StreamId, StreamKind};
use serde_json::json;

use crate::{
    COUNTS_PAUSE, Feeds, NextDelivery, OwedCounts, Subscription,
    tests::testing::{Scene, room, settle, user},
};

/// Bob's stream in Alice's rooms.
struct Stream {
    feeds: Feeds,
    subscription: Subscription,
    counts: OwedCounts,
}

impl Stream {
    async fn open(feeds: &Feeds, after: Position) -> Self {
        settle(feeds).await;
        let begin = feeds.look_back(after).await.unwrap();
        let counts = OwedCounts::new(&user("bob"), &Arc::new(Filter::default()));
        let subscription = feeds.subscribe_after(&user("bob"), begin);
        Self { feeds: feeds.clone(), subscription, counts }
    }

    /// Reads all commits, and takes the counts that may be given out `now`.
    async fn take(&mut self, now: Instant) -> Vec<(String, u64)> {
        settle(&self.feeds).await;
        while !self.subscription.is_caught_up() {
            match self.subscription.turn().await.unwrap() {
                NextDelivery::Live(delivery) => self.counts.note(&delivery),
                NextDelivery::Behind(mut page) => {
                    while let Some(delivery) = self.subscription.take(&mut page) {
                        self.counts.note(&delivery);
                    }
                }
            }
        }
        let taken = self.counts.take(&self.feeds.view(), now);
        let name = |room: &str| room.trim_start_matches('!').split(':').next().map(str::to_owned);
        let counts = taken.into_iter();
        counts.filter_map(|(room, unread)| Some((name(room.as_str())?, unread.messages))).collect()
    }
}

fn told(counts: &[(&str, u64)]) -> Vec<(String, u64)> {
    counts.iter().map(|(room, count)| ((*room).to_owned(), *count)).collect()
}

/// Rooms of Alice with Bob, and a live stream of Bob's.
async fn begin(scene: &mut Scene) -> (Stream, Instant) {
    for name in ["tea", "den"] {
        scene.create(name, "alice").await;
        scene.member(name, "bob", "join").await;
    }
    let feeds = scene.open().await;
    let mut stream = Stream::open(&feeds, Position::ORIGIN).await;
    let begun = Instant::now();
    stream.take(begun).await;
    (stream, begun + COUNTS_PAUSE)
}

async fn read(scene: &Scene, who: &str, sequence: u64, private: bool) {
    let event = AccountEvent::ReceiptMoved {
        room_id: room("tea"),
        event_id: format!("$event{sequence}").as_str().try_into().unwrap(),
        sequence,
        private,
    };
    let stream = StreamId::new(StreamKind::User, user(who).as_str());
    scene.append(stream, vec![Fact::Account(event).store([1; 16])]).await;
}

#[tokio::test]
async fn counts_of_a_room_come_once_in_a_pause_and_those_after_the_last_change_always() {
    let mut scene = Scene::new();
    let (mut stream, now) = begin(&mut scene).await;
    scene.message("tea", "alice").await;
    assert_eq!(stream.take(now).await, told(&[("tea", 1)]));
    let soon = now + COUNTS_PAUSE / 2;
    for _ in 0..3 {
        scene.message("tea", "alice").await;
        assert_eq!(stream.take(soon).await, []);
    }
    scene.message("den", "alice").await;
    assert_eq!(stream.take(soon).await, told(&[("den", 1)]), "another room waits for nothing");
    let due = now + COUNTS_PAUSE;
    assert_eq!(stream.counts.due(soon), Some(due));
    assert_eq!(stream.take(due).await, told(&[("tea", 4)]));
    assert_eq!(stream.counts.due(due), None);
}

#[tokio::test]
async fn counts_come_only_if_they_changed() {
    let mut scene = Scene::new();
    let (mut stream, now) = begin(&mut scene).await;
    scene.message("tea", "alice").await;
    assert_eq!(stream.take(now).await, told(&[("tea", 1)]));
    let later = now + COUNTS_PAUSE;
    let reaction = json!({ "m.relates_to": { "rel_type": "m.annotation", "event_id": "$event1", "key": "+" } });
    scene.send("tea", "alice", "m.reaction", None, reaction).await;
    scene.send("tea", "alice", "m.room.topic", Some(""), json!({ "topic": "green" })).await;
    read(&scene, "alice", 3, false).await;
    assert_eq!(stream.take(later).await, []);
    assert_eq!(stream.counts.due(later), None, "nothing that counts happened");
    let edit = json!({
        "body": "* hi", "m.new_content": { "body": "hi" },
        "m.relates_to": { "rel_type": "m.replace", "event_id": "$event1" },
    });
    scene.send("tea", "alice", "m.room.message", None, edit).await;
    assert_eq!(stream.take(later).await, [], "an edit without a mention changes no count");
    scene.message("tea", "bob").await;
    assert_eq!(stream.take(later).await, told(&[("tea", 0)]), "who writes has read");
}

#[tokio::test]
async fn own_receipt_changes_counts_whether_or_not_others_see_it() {
    for private in [false, true] {
        let mut scene = Scene::new();
        let (mut stream, now) = begin(&mut scene).await;
        for _ in 0..3 {
            scene.message("tea", "alice").await;
        }
        assert_eq!(stream.take(now).await, told(&[("tea", 3)]));
        let last = stream.feeds.view().room(&room("tea")).unwrap().summary().last_sequence;
        read(&scene, "bob", last, private).await;
        assert_eq!(stream.take(now + COUNTS_PAUSE).await, told(&[("tea", 0)]), "{private}");
    }
}

#[tokio::test]
async fn own_preferences_change_counts() {
    let mut scene = Scene::new();
    let (mut stream, now) = begin(&mut scene).await;
    scene.message("tea", "alice").await;
    assert_eq!(stream.take(now).await, told(&[("tea", 1)]));
    let preferences =
        RoomPreferences { notifications: Notifications::None, ..RoomPreferences::default() };
    let event = AccountEvent::RoomPreferencesChanged { room_id: room("tea"), preferences };
    let own = StreamId::new(StreamKind::User, user("bob").as_str());
    scene.append(own, vec![Fact::Account(event).store([2; 16])]).await;
    assert_eq!(
        stream.take(now + COUNTS_PAUSE).await,
        told(&[("tea", 1)]),
        "one that notifies no more"
    );
}

#[tokio::test]
async fn rooms_that_the_user_is_not_in_have_no_counts() {
    let mut scene = Scene::new();
    let (mut stream, now) = begin(&mut scene).await;
    scene.message("tea", "alice").await;
    scene.member("tea", "bob", "leave").await;
    scene.message("tea", "alice").await;
    assert_eq!(stream.take(now).await, []);
    scene.member("tea", "bob", "join").await;
    scene.message("tea", "alice").await;
    assert_eq!(stream.take(now).await, told(&[("tea", 1)]));
}

#[tokio::test]
async fn resumed_stream_owes_what_the_one_before_it_owed() {
    let mut scene = Scene::new();
    let (mut stream, now) = begin(&mut scene).await;
    scene.message("tea", "alice").await;
    assert_eq!(stream.take(now).await, told(&[("tea", 1)]));
    scene.message("tea", "alice").await;
    assert_eq!(stream.take(now).await, [], "they are owed when the stream is cut");
    let mut resumed = Stream::open(&stream.feeds, stream.subscription.position()).await;
    let counts = resumed.take(now).await;
    assert!(counts.contains(&("tea".to_owned(), 2)), "{counts:?}");
}

#[tokio::test]
async fn look_back_covers_its_time_and_not_much_more() {
    let mut scene = Scene::new();
    scene.create("tea", "alice").await;
    let mut received = Vec::new();
    for number in 0..200 {
        scene.received = Millis(1_000_000 + 100 * number);
        received.push((scene.message("tea", "alice").await, scene.received));
    }
    let feeds = scene.open().await;
    for (after, end) in &received[100..] {
        let begin = feeds.look_back(*after).await.unwrap();
        let age = |at: &Millis| Duration::from_millis(end.0 - at.0);
        let left_out = received.iter().filter(|(position, _)| *position <= begin);
        assert!(left_out.clone().all(|(_, at)| age(at) > Duration::from_secs(2)), "{after}");
        let read = after.0 - begin.0;
        assert!(read <= 2 * 21, "{read} commits for the 20 of two seconds");
    }
}
