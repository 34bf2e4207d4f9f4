//! Commits that cannot be applied: they are parked alone and reported.

use rookery_domain::EventId;
use serde_json::json;

use crate::{
    Retried,
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
    assert_eq!(
        names,
        [
            "redactions",
            "timelines",
            "memberships",
            "summaries",
            "relations",
            "actions",
            "unread",
            "calls",
        ]
    );
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
    let parked = models.read().parked();
    let retried = models.retry_parked().await.unwrap();
    assert_eq!(retried, Retried { mended: 0, parked }, "it is not mended yet");
    clear_trip(KIND);
    let retried = models.retry_parked().await.unwrap();
    assert_eq!(retried, Retried { mended: 1, parked: Vec::new() });
    assert_eq!(models.retry_parked().await.unwrap(), Retried::default(), "nothing is parked");
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

#[tokio::test]
async fn projector_retries_parked_streams_when_it_starts() {
    const KIND: &str = "test.trip.restart";
    let mut scene = Scene::new();
    let models = scene.open().await;
    scene.create("a", "alice").await;
    set_trip("summaries", KIND);
    scene.send("a", "alice", KIND, None, json!({})).await;
    scene.garbage("b").await;
    settle(&models).await;
    models.save().await.unwrap();
    drop(models);
    let models = scene.open().await;
    let parked = |models: &crate::ReadModels| {
        let parked = models.read().parked();
        let of_room = |name| {
            let name = format!("room/{}", room_id(name));
            parked.iter().filter(|parked| parked.stream.as_str() == name).count()
        };
        (of_room("a"), of_room("b"))
    };
    assert_eq!(parked(&models), (1, 8));
    clear_trip(KIND);
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let runner = models.clone();
    let running = tokio::spawn(async move { runner.run(async { drop(stopped.await) }).await });
    // The projector retries one stream before each batch.
    for _ in 0..2 {
        let last = scene.message("c", "alice").await;
        models.wait_for(last, std::time::Duration::from_mins(1)).await.unwrap();
    }
    assert_eq!(parked(&models), (0, 8), "the room with garbage is parked again");
    drop(stop);
    running.await.unwrap();
}
