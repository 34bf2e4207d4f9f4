//! What cannot be applied is set aside, alone and in sight.

use rookery_domain::EventId;
use rookery_log::{Position, StreamId, StreamKind};
use serde_json::json;

use crate::{
    RetryError, Viewer,
    testing::{Scene, clear_trip, room, room_id, set_trip, settle},
};

#[tokio::test]
async fn unreadable_event_parks_its_room_and_nothing_else() {
    let mut scene = Scene::new();
    let models = scene.open().await;
    scene.create("bad", "alice").await;
    scene.create("good", "alice").await;
    let garbage = scene.garbage("bad").await;
    scene.message("bad", "alice").await;
    let last = scene.message("good", "alice").await;
    settle(&models).await;
    let view = models.view();
    assert_eq!(view.position(), last, "everything else goes on");
    assert_eq!(view.room(&room("good")).unwrap().summary().last_sequence, 6);
    assert_eq!(view.room(&room("bad")).unwrap().summary().last_sequence, 5);
    let parked = view.parked();
    let names: Vec<_> = parked.iter().map(|parked| parked.model.as_str()).collect();
    let models =
        ["summaries", "memberships", "timelines", "actions", "relations", "redactions", "unread"];
    assert_eq!(names, models);
    assert_eq!(parked[0].stream.as_str(), format!("room/{}", room_id("bad")));
    assert_eq!(parked[0].position, garbage);
    assert_eq!(parked[0].event_id.as_deref(), Some("$event11"));
    assert!(parked[0].reason.contains("not a PDU"), "{}", parked[0].reason);
    let unreadable = EventId::parse("$event11").unwrap();
    assert_eq!(view.event(&unreadable).unwrap().unwrap().position, garbage);
}

#[tokio::test]
async fn parked_room_comes_back_when_the_fault_is_mended() {
    const KIND: &str = "test.trip.mended";
    let mut scene = Scene::new();
    let models = scene.open().await;
    let stream = StreamId::new(StreamKind::Room, &room_id("a"));
    scene.create("a", "alice").await;
    set_trip("memberships", KIND);
    scene.send("a", "alice", KIND, None, json!({})).await;
    scene.member("a", "bob", "join").await;
    scene.message("a", "bob").await;
    settle(&models).await;
    {
        let view = models.view();
        let room = view.room(&room("a")).unwrap();
        assert_eq!((room.joined_count(), room.timeline_len()), (1, 8), "one model only");
        assert!(view.parked()[0].reason.contains("tripped over"));
    }
    assert!(!models.retry_parked("memberships", &stream).await.unwrap(), "it is not mended yet");
    assert_eq!(models.view().parked().len(), 1);
    clear_trip(KIND);
    assert!(models.retry_parked("memberships", &stream).await.unwrap());
    let again = models.retry_parked("memberships", &stream).await.unwrap_err();
    assert!(matches!(again, RetryError::NotParked { .. }));
    assert_eq!(models.view().room(&room("a")).unwrap().joined_count(), 2);
    assert_eq!(models.verify(|_| {}).await.unwrap(), []);
    let rooms = models.view().joined_rooms_at(&crate::testing::user("bob"), Position(9));
    assert_eq!(rooms, [room("a")]);
}

#[tokio::test]
async fn nothing_is_shown_while_it_is_not_known_who_is_in_the_room() {
    const KIND: &str = "test.trip.unknown";
    let mut scene = Scene::new();
    let models = scene.open().await;
    scene.create("a", "alice").await;
    scene.member("a", "bob", "join").await;
    scene.message("a", "alice").await;
    set_trip("memberships", KIND);
    scene.send("a", "alice", KIND, None, json!({})).await;
    scene.member("a", "bob", "ban").await;
    scene.message("a", "alice").await;
    settle(&models).await;
    let seen: Vec<_> = {
        let view = models.view();
        let bob = Viewer::User(crate::testing::user("bob"));
        let sight = view.room(&room("a")).unwrap().sight(&bob);
        (1..=10).filter(|sequence| sight.sees(*sequence)).collect()
    };
    assert_eq!(seen, [1, 2, 3, 4, 5, 6, 7], "the ban is not known, so nothing after");
    clear_trip(KIND);
}

#[tokio::test]
async fn parked_room_stays_parked_over_a_restart() {
    let mut scene = Scene::new();
    let models = scene.open().await;
    scene.create("a", "alice").await;
    scene.garbage("a").await;
    settle(&models).await;
    let parked = models.view().parked();
    models.save().await.unwrap();
    drop(models);
    assert_eq!(scene.open().await.view().parked(), parked);
}
