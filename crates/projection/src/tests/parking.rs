//! Commits that cannot be applied: they are parked alone and reported.

use rookery_domain::EventId;
use rookery_log::{StreamId, StreamKind};
use serde_json::json;

use crate::{
    RetryError,
    tests::testing::{Scene, clear_trip, room, room_id, set_trip, settle, user},
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
    let view = models.read();
    let last_sequence = |name| view.summary(view.room(&room(name)).unwrap()).unwrap().last_sequence;
    assert_eq!(view.position(), last, "everything else goes on");
    assert_eq!((last_sequence("good"), last_sequence("bad")), (6, 5));
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
        let view = models.read();
        let room = view.room(&room("a")).unwrap();
        let joined = view.members(room).unwrap().joined();
        assert_eq!((joined, view.timeline_len(room)), (1, 8), "one model only");
        assert!(view.parked()[0].reason.contains("tripped over"));
    }
    assert!(!models.retry_parked("memberships", &stream).await.unwrap(), "it is not mended yet");
    assert_eq!(models.read().parked().len(), 1);
    clear_trip(KIND);
    assert!(models.retry_parked("memberships", &stream).await.unwrap());
    let again = models.retry_parked("memberships", &stream).await.unwrap_err();
    assert!(matches!(again, RetryError::NotParked { .. }));
    assert_eq!(models.verify(|_| {}).await.unwrap(), []);
    let models = models.read();
    let room = models.room(&room("a")).unwrap();
    assert_eq!(models.members(room).unwrap().joined(), 2);
    let bob = user("bob");
    let rooms = models.rooms_of_users().joined(&bob);
    assert_eq!(rooms.collect::<Vec<_>>(), [room]);
}

#[tokio::test]
async fn parked_room_stays_parked_over_a_restart() {
    let mut scene = Scene::new();
    let models = scene.open().await;
    scene.create("a", "alice").await;
    scene.garbage("a").await;
    settle(&models).await;
    let parked = models.read().parked();
    models.save().await.unwrap();
    drop(models);
    assert_eq!(scene.open().await.read().parked(), parked);
}
