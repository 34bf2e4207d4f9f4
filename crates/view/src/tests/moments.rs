//! Pages of a timeline at a moment.

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use rookery_domain::RoomId;
use rookery_log::Millis;

use crate::{
    Anchor, Meter, Moments, Reader, Unmetered, Viewer, Wanted,
    tests::testing::{Scene, room, settle, user},
};

/// The sequences and the times of the events after an anchor or before it, as Alice sees them.
async fn page(reader: &Reader, room: &RoomId, anchor: Anchor) -> Vec<(u64, u64)> {
    let viewer = Viewer::User(user("alice"));
    let wanted = Wanted { anchor, limit: 5_000, filter: None, until: None };
    let page = reader.timeline(room, &viewer, wanted).await.unwrap();
    let events = page.events.iter();
    events.map(|it| (it.row.sequence, it.event().pdu.origin_server_ts.0.into())).collect()
}

/// The events before the moment `at`, and those from then on.
async fn sides(reader: &Reader, room: &RoomId, at: u64) -> (Vec<(u64, u64)>, Vec<(u64, u64)>) {
    let Moments { from, until } = reader.moment(room, Millis(at), &Unmetered).await.unwrap();
    (page(reader, room, until).await, page(reader, room, from).await)
}

#[tokio::test]
async fn moment_divides_a_timeline_into_the_events_before_it_and_those_from_then_on() {
    let mut scene = Scene::new();
    let reader = scene.open().await;
    for name in ["tea", "den"] {
        scene.create(name, "alice").await;
    }
    for number in 0..20 {
        scene.message(if number % 3 == 0 { "den" } else { "tea" }, "alice").await;
    }
    settle(&reader).await;
    for name in ["tea", "den"] {
        let all = page(&reader, &room(name), Anchor::Start).await;
        for at in 0..=all.last().unwrap().1 + 1 {
            let (before, from) = sides(&reader, &room(name), at).await;
            assert!(before.iter().all(|(_, sent)| *sent < at), "{name} at {at}: {before:?}");
            assert!(from.iter().all(|(_, sent)| *sent >= at), "{name} at {at}: {from:?}");
            assert_eq!([before, from].concat(), all, "{name} at {at}");
        }
    }
}

#[tokio::test]
async fn moment_is_between_two_neighbours_where_the_times_go_back() {
    let mut scene = Scene::new();
    let reader = scene.open().await;
    scene.create("tea", "alice").await;
    for number in 0..30 {
        scene.message("tea", "alice").await;
        if number % 4 == 0 {
            for back in [1, 1, 7] {
                scene.late("tea", "alice", back).await;
            }
        }
    }
    settle(&reader).await;
    let all = page(&reader, &room("tea"), Anchor::Start).await;
    assert!(!all.is_sorted_by_key(|(_, sent)| *sent), "late events have later times");
    for at in 0..=100 {
        let (before, from) = sides(&reader, &room("tea"), at).await;
        assert!(before.last().is_none_or(|(_, sent)| *sent < at), "at {at}: {before:?}");
        assert!(from.first().is_none_or(|(_, sent)| *sent >= at), "at {at}: {from:?}");
        assert_eq!([before, from].concat(), all, "at {at}");
    }
}

#[tokio::test]
async fn room_without_events_has_nothing_on_either_side_of_a_moment() {
    let reader = Scene::new().open().await;
    assert!(reader.moment(&room("tea"), Millis(1), &Unmetered).await.is_err(), "no such room");
}

/// Counts the events that are read.
#[derive(Default)]
struct Reads(AtomicUsize);

#[async_trait::async_trait]
impl Meter for Reads {
    fn look_at(&self, _: usize) -> bool {
        self.0.fetch_add(1, Relaxed);
        true
    }

    async fn pause(&self) -> bool {
        true
    }
}

#[tokio::test]
async fn moment_in_a_long_timeline_costs_a_few_reads() {
    let mut scene = Scene::new();
    let reader = scene.open().await;
    scene.create("tea", "alice").await;
    for _ in 0..2_000 {
        scene.message("tea", "alice").await;
    }
    settle(&reader).await;
    for at in [0, 3, 700, 1_999, 9_999] {
        let reads = Reads::default();
        reader.moment(&room("tea"), Millis(at), &reads).await.unwrap();
        let reads = reads.0.load(Relaxed);
        assert!(reads <= 13, "{reads} reads for the moment {at} among 2,000 events");
    }
}
