//! Snapshots that cannot be trusted, and the format that stays readable.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use rookery_domain::{AccountEvent, EventStatus, Notifications, RoomPreferences, SlotChange};
use rookery_log::{Epoch, EventLog, MemoryLog, Position};
use serde_json::json;

use crate::{
    Models, Options, ReadModels, SnapshotError,
    storage::generation,
    storage::snapshot,
    tests::testing::{EPOCH, Scene, are_those_of_the_golden_files, settle},
};

/// The names of all models.
fn names() -> impl Iterator<Item = &'static str> {
    Models::VERSIONS.iter().map(|(name, _)| *name)
}

async fn scene() -> Scene {
    let mut scene = Scene::new();
    scene.create("a", "alice").await;
    scene.member("a", "bob", "join").await;
    scene.profile("bob", "Bob").await;
    scene.alias("attic", Some("a")).await;
    for number in 0..11 {
        scene.late("a", "bob", number % 5).await;
    }
    // State resolution removes the name of the room.
    let event = scene.event("a", "bob", "m.room.message", None, &json!({}), 1);
    let name = SlotChange { holder: None, ..scene.former("a", 4).unwrap() };
    scene.receive("a", event, EventStatus::Accepted, Some(vec![name])).await;
    scene
}

/// One thread, so that no file is empty and could be left out.
fn options() -> Options {
    Options { rebuild_threads: 1, ..Options::default() }
}

async fn saved() -> (Scene, crate::Digests) {
    let scene = scene().await;
    let models = scene.open_with(options()).await;
    models.save().await.unwrap();
    let digest = models.digest().await.unwrap();
    (scene, digest)
}

fn files(scene: &Scene) -> Vec<PathBuf> {
    let dir = generation::path(scene.dir.path(), 1);
    let mut files: Vec<_> = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

fn refused(scene: &Scene) -> Vec<&'static str> {
    let dir = generation::path(scene.dir.path(), 1);
    let tail = *scene.log.tail().borrow();
    let refused = generation::load(&dir, EPOCH, tail).err().unwrap_or_default();
    refused.iter().map(|refused| refused.model).collect()
}

#[tokio::test]
async fn file_that_is_missing_is_named_and_made_again() {
    for number in 0..files(&saved().await.0).len() {
        let (scene, digest) = saved().await;
        let file = files(&scene).swap_remove(number);
        fs::remove_file(&file).unwrap();
        let name = file.file_stem().unwrap().to_str().unwrap();
        let [model] = refused(&scene)[..] else {
            panic!("nothing is refused without {name}");
        };
        assert!(name.starts_with(model), "{name}");
        assert_eq!(scene.open().await.digest().await.unwrap(), digest);
        assert_eq!(generation::current(scene.dir.path()).unwrap(), Some(2));
    }
}

#[tokio::test]
async fn snapshot_that_is_damaged_is_named_and_made_again() {
    for model in names() {
        let (scene, digest) = saved().await;
        let file = generation::path(scene.dir.path(), 1).join(format!("{model}.snapshot"));
        let mut bytes = fs::read(&file).unwrap();
        *bytes.last_mut().unwrap() ^= 1;
        fs::write(&file, bytes).unwrap();
        assert_eq!(refused(&scene), [model]);
        assert_eq!(scene.open().await.digest().await.unwrap(), digest);
    }
}

#[tokio::test]
async fn snapshots_of_another_log_or_a_longer_one_are_refused() {
    let (scene, _) = saved().await;
    for (epoch, reason) in [(EPOCH, "the log ends at 0"), (Epoch(8), "epoch")] {
        let dir = generation::path(scene.dir.path(), 1);
        let refused = generation::load(&dir, epoch, Position::ORIGIN).err().unwrap();
        assert_eq!(refused.len(), Models::VERSIONS.len());
        assert!(refused.iter().all(|refused| refused.error.to_string().contains(reason)));
    }
    let empty: Arc<dyn EventLog> = Arc::new(MemoryLog::new(EPOCH));
    let dir = scene.dir.path();
    let models = ReadModels::open(empty, dir, Options::default(), |_| {}).await.unwrap();
    assert_eq!(models.read().rooms().len(), 0);
}

#[tokio::test]
async fn damaged_block_is_an_error_and_no_wrong_answer() {
    let (scene, _) = saved().await;
    let dir = generation::path(scene.dir.path(), 1);
    for file in fs::read_dir(&dir).unwrap().map(|entry| entry.unwrap().path()) {
        // A damaged file of rows is found when it is opened.
        if !["snapshot", "rows"].contains(&file.extension().unwrap().to_str().unwrap()) {
            let mut bytes = fs::read(&file).unwrap();
            // The entries of a run, without the tables behind them.
            let entries =
                if file.extension().unwrap() == "run" { bytes.len() / 2 } else { bytes.len() };
            bytes[..entries].iter_mut().for_each(|byte| *byte ^= 1);
            fs::write(&file, bytes).unwrap();
        }
    }
    let models = scene.open().await;
    let models = models.read();
    let key = models.room(&crate::tests::testing::room("a")).unwrap();
    assert!(
        models.timeline(key).unwrap().after(None, 1).unwrap_err().to_string().contains("checksum")
    );
    let event = rookery_domain::EventId::parse("$event1").unwrap();
    assert!(models.event(&event).unwrap_err().to_string().contains("is damaged"));
}

#[tokio::test]
async fn snapshots_are_those_of_the_golden_files() {
    let mut scene = scene().await;
    let content = json!({ "history_visibility": "joined" });
    scene.send("a", "alice", "m.room.history_visibility", Some(""), content).await;
    scene.garbage("b").await;
    let models = scene.open_with(options()).await;
    settle(&models).await;
    models.save().await.unwrap();
    are_those_of_the_golden_files(&scene, &names().collect::<Vec<_>>(), "all");
}

/// Snapshots of the format before are refused by it, so the models are rebuilt.
#[test]
fn snapshots_of_the_format_before_are_refused_by_their_format() {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/format-1");
    let mut refused = 0;
    for file in fs::read_dir(golden).unwrap().map(|entry| entry.unwrap().path()) {
        if file.extension().is_some_and(|extension| extension == "snapshot") {
            let header = snapshot::Header {
                model: "summaries",
                version: 1,
                epoch: EPOCH,
                position: Position(u64::MAX),
            };
            let error = snapshot::decode(&fs::read(file).unwrap(), header).unwrap_err();
            assert!(matches!(error, SnapshotError::OlderFormat), "{error}");
            refused += 1;
        }
    }
    assert!(refused > 12);
}

/// The same for preferences, which the first scene lacks.
#[tokio::test]
async fn preferences_are_kept_as_in_the_golden_file() {
    let mut scene = Scene::new();
    let preferences = RoomPreferences { is_favourite: true, ..RoomPreferences::default() };
    for (user, name, preferences) in [
        ("alice", "a", preferences),
        ("alice", "b", RoomPreferences { notifications: Notifications::None, ..preferences }),
        ("bob", "a", preferences),
        ("bob", "a", RoomPreferences::default()),
    ] {
        let room_id = crate::tests::testing::room(name);
        let event = AccountEvent::RoomPreferencesChanged { room_id, preferences };
        scene.account(user, event).await;
    }
    let (room_id, kind) = (Some(crate::tests::testing::room("a")), "com.example".to_owned());
    for (user, room_id) in [("alice", room_id.clone()), ("alice", None), ("bob", room_id.clone())] {
        let (kind, content) = (kind.clone(), serde_json::Map::new());
        let event = AccountEvent::DataChanged { room_id, kind, content };
        scene.account(user, event).await;
    }
    scene.account("bob", AccountEvent::DataDeleted { room_id: room_id.clone(), kind }).await;
    for user_id in ["bob", "carol"].map(crate::tests::testing::user) {
        scene.account("alice", AccountEvent::UserIgnored { user_id }).await;
    }
    let user_id = crate::tests::testing::user("carol");
    scene.account("alice", AccountEvent::UserUnignored { user_id }).await;
    let models = scene.open_with(options()).await;
    models.save().await.unwrap();
    are_those_of_the_golden_files(&scene, &["preferences"], "preferred");
    let models = models.read();
    let of = |who| models.user(&crate::tests::testing::user(who)).unwrap();
    let rooms = |who| models.preferences(of(who)).unwrap().rooms().len();
    assert_eq!([rooms("alice"), rooms("bob")], [2, 0], "bob has the defaults again");
    let ignored = models.preferences(of("alice")).unwrap().ignored().iter();
    assert_eq!(ignored.collect::<Vec<_>>(), [crate::tests::testing::user("bob")]);
    let data =
        |who, room: Option<&_>| models.preferences(of(who)).unwrap().data(room, None).count();
    let room_id = room_id.as_deref();
    assert_eq!([data("alice", room_id), data("alice", None), data("bob", room_id)], [1, 1, 0]);
}

/// The same for filters, which the first scene lacks.
#[tokio::test]
async fn filters_are_kept_as_in_the_golden_file() {
    let mut scene = Scene::new();
    scene.filter("alice", "m.room.*").await;
    scene.filter("bob", "m.room.message").await;
    scene.filter("alice", "com.example.*").await;
    let models = scene.open_with(options()).await;
    models.save().await.unwrap();
    are_those_of_the_golden_files(&scene, &["filters"], "stored");
    let models = models.read();
    let alice = models.user(&crate::tests::testing::user("alice")).unwrap();
    assert_eq!(models.filters(alice).unwrap().iter().count(), 2);
}
