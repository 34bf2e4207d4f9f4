//! Relations of an event: edits, reactions, threads.

use std::{fs, path::Path};

use rookery_domain::{Envelope, Erased, EventId, OwnedEventId};
use rookery_log::{Position, StreamId, StreamKind};
use rookery_projection::{Reactions, RowKey};
use serde_json::{Value, json};

use crate::{
    Reader, Seen, Viewer,
    tests::testing::{Scene, room, room_id, settle, user},
};

fn event(number: u64) -> OwnedEventId {
    EventId::parse(format!("$event{number}")).unwrap()
}

/// The relations of an event, as one user sees them.
#[derive(Debug, PartialEq)]
struct Found {
    edit: Option<u64>,
    reactions: Vec<(String, Vec<String>)>,
    thread: Option<(u64, u64, bool)>,
}

/// Events by the position of their commits, because these scenes have one for each.
async fn found(models: &Reader, who: &str, number: u64, until: Option<Position>) -> Found {
    settle(models).await;
    let viewer = Viewer::User(user(who));
    let view = models.view();
    let room = view.room(&room("a")).unwrap();
    let seen = Seen { sight: room.sight(&viewer), ignored: view.ignored(&viewer), until };
    let position = |key: RowKey| key.position.0;
    let names = |reactions: Reactions| {
        let users = reactions.users.iter().map(|user| user.localpart().to_owned());
        (reactions.key.into(), users.collect())
    };
    let thread = room.thread(&event(number), &viewer, &seen);
    Found {
        edit: room.latest_edit(&event(number), &user("alice"), &seen).map(position),
        reactions: room.reactions(&event(number), &seen).into_iter().map(names).collect(),
        thread: thread.map(|it| (it.count, position(it.last), it.participated)),
    }
}

fn nothing() -> Found {
    Found { edit: None, reactions: Vec::new(), thread: None }
}

fn reactions(found: &[(&str, &[&str])]) -> Vec<(String, Vec<String>)> {
    let names = |users: &[&str]| users.iter().map(|user| (*user).to_owned()).collect();
    found.iter().map(|(key, users)| ((*key).to_owned(), names(users))).collect()
}

async fn reacts(scene: &mut Scene, who: &str, number: u64, key: &str) -> Position {
    let relates = json!({ "rel_type": "m.annotation", "event_id": event(number), "key": key });
    scene.send("a", who, "m.reaction", None, json!({ "m.relates_to": relates })).await
}

async fn redacts(scene: &mut Scene, number: u64) {
    let content = json!({ "redacts": event(number) });
    let mut redaction = scene.event("a", "alice", "m.room.redaction", None, &content, 0);
    let mut envelope = Envelope::local(None, None);
    let (event_id, slot) = (event(number), None);
    envelope.erases = vec![Erased { event_id, position: number - 4, index: 0, slot }];
    redaction.envelope = serde_json::to_vec(&envelope).unwrap().into();
    scene.append(StreamId::new(StreamKind::Room, &room_id("a")), vec![redaction]).await;
}

fn in_thread(number: u64) -> Value {
    json!({ "m.relates_to": { "rel_type": "m.thread", "event_id": event(number) } })
}

fn edits(number: u64) -> Value {
    json!({ "m.relates_to": { "rel_type": "m.replace", "event_id": event(number) } })
}

/// A room of Alice and Bob. Its first five events are one commit, the others one each.
async fn scene() -> (Scene, Reader) {
    let mut scene = Scene::new();
    let models = scene.open().await;
    scene.create("a", "alice").await;
    scene.member("a", "bob", "join").await;
    scene.message("a", "alice").await;
    (scene, models)
}

/// The message of the scene.
const MESSAGE: u64 = 7;

#[tokio::test]
async fn who_reacts_counts_once_for_each_key() {
    let (mut scene, models) = scene().await;
    assert_eq!(found(&models, "bob", MESSAGE, None).await, nothing());
    for (who, key) in [("bob", "x"), ("alice", "y"), ("alice", "x"), ("bob", "x")] {
        reacts(&mut scene, who, MESSAGE, key).await;
    }
    let all = reactions(&[("x", &["bob", "alice"]), ("y", &["alice"])]);
    assert_eq!(found(&models, "bob", MESSAGE, None).await.reactions, all);
    let first = found(&models, "bob", MESSAGE, Some(Position(4))).await;
    assert_eq!(first.reactions, reactions(&[("x", &["bob"])]), "as of an earlier position");
    let known = models.known(&[event(MESSAGE)], &Viewer::User(user("alice"))).await.unwrap();
    assert_eq!(known[0].own_reactions, ["y", "x"]);
}

#[tokio::test]
async fn one_emoji_is_one_reaction_whichever_way_it_looks() {
    let (mut scene, models) = scene().await;
    for (who, key) in [("bob", "👍"), ("alice", "👍\u{fe0f}")] {
        reacts(&mut scene, who, MESSAGE, key).await;
    }
    let all = reactions(&[("👍", &["bob", "alice"])]);
    assert_eq!(found(&models, "bob", MESSAGE, None).await.reactions, all);
    let known = models.known(&[event(MESSAGE)], &Viewer::User(user("alice"))).await.unwrap();
    assert_eq!(known[0].reactions, ["👍"]);
}

#[tokio::test]
async fn the_last_edit_by_the_sender_of_the_message_counts() {
    let (mut scene, models) = scene().await;
    let first = scene.send("a", "alice", "m.room.message", None, edits(MESSAGE)).await;
    scene.send("a", "bob", "m.room.message", None, edits(MESSAGE)).await;
    assert_eq!(found(&models, "bob", MESSAGE, None).await.edit, Some(first.0));
    let second = scene.send("a", "alice", "m.room.message", None, edits(MESSAGE)).await;
    assert_eq!(found(&models, "bob", MESSAGE, None).await.edit, Some(second.0));
    // It is older than both, although it arrives last.
    let late = scene.event("a", "alice", "m.room.message", None, &edits(MESSAGE), 3);
    let stream = StreamId::new(StreamKind::Room, &room_id("a"));
    scene.append(stream, vec![late]).await;
    assert_eq!(found(&models, "bob", MESSAGE, None).await.edit, Some(second.0));
}

#[tokio::test]
async fn whoever_redacts_a_message_redacts_its_edits() {
    let (mut scene, models) = scene().await;
    scene.send("a", "alice", "m.room.message", None, edits(MESSAGE)).await;
    scene.send("a", "bob", "m.room.message", None, edits(MESSAGE)).await;
    reacts(&mut scene, "alice", MESSAGE, "x").await;
    settle(&models).await;
    let known = models.known(&[event(MESSAGE)], &Viewer::User(user("bob"))).await.unwrap();
    let erased = known[0].erases.iter().map(|it| (it.event_id.clone(), it.position, it.index));
    let expected = [(event(MESSAGE), 3, 0), (event(MESSAGE + 1), 4, 0)];
    assert_eq!(erased.collect::<Vec<_>>(), expected, "and not what others say of it");
}

#[tokio::test]
async fn a_thread_has_a_count_an_end_and_those_who_took_part() {
    let (mut scene, models) = scene().await;
    scene.send("a", "bob", "m.room.message", None, in_thread(MESSAGE)).await;
    let last = scene.send("a", "bob", "com.example.x", None, in_thread(MESSAGE)).await;
    assert_eq!(found(&models, "bob", MESSAGE, None).await.thread, Some((2, last.0, true)));
    assert_eq!(found(&models, "alice", MESSAGE, None).await.thread, Some((2, last.0, false)));
    let known = models.known(&[event(MESSAGE)], &Viewer::User(user("alice"))).await.unwrap();
    assert_eq!(known[0].thread_end, Some(event(MESSAGE + 2)));
}

#[tokio::test]
async fn relations_are_seen_as_far_as_the_events_that_say_so() {
    let (mut scene, models) = scene().await;
    reacts(&mut scene, "alice", MESSAGE, "x").await;
    scene.member("a", "bob", "leave").await;
    reacts(&mut scene, "alice", MESSAGE, "y").await;
    scene.send("a", "alice", "m.room.message", None, edits(MESSAGE)).await;
    scene.send("a", "alice", "m.room.message", None, in_thread(MESSAGE)).await;
    let seen = found(&models, "bob", MESSAGE, None).await;
    assert_eq!(seen, Found { reactions: reactions(&[("x", &["alice"])]), ..nothing() });
    assert_eq!(found(&models, "carol", MESSAGE, None).await, nothing());
    assert_ne!(found(&models, "alice", MESSAGE, None).await.thread, None);
}

#[tokio::test]
async fn what_is_redacted_relates_to_nothing_any_more() {
    let (mut scene, models) = scene().await;
    reacts(&mut scene, "bob", MESSAGE, "x").await;
    reacts(&mut scene, "bob", MESSAGE, "x").await;
    let edit = scene.send("a", "alice", "m.room.message", None, edits(MESSAGE)).await;
    scene.send("a", "bob", "m.room.message", None, in_thread(MESSAGE)).await;
    let all = found(&models, "bob", MESSAGE, None).await;
    assert_eq!(all.edit, Some(edit.0));
    for redacted in 1..=4 {
        redacts(&mut scene, MESSAGE + redacted).await;
        let left = found(&models, "bob", MESSAGE, None).await;
        let bob: &[&str] = &["bob"];
        let expected = Found {
            reactions: if redacted < 2 { reactions(&[("x", bob)]) } else { Vec::new() },
            edit: all.edit.filter(|_| redacted < 3),
            thread: all.thread.filter(|_| redacted < 4),
        };
        assert_eq!(left, expected);
    }
    assert_eq!(models.models().verify(|_| {}).await.unwrap(), []);
    let view = models.view();
    let key = view.models().room(&room("a")).unwrap();
    assert!(
        view.models().related(key, &event(MESSAGE)).is_none(),
        "nothing is kept of what is gone"
    );
}

#[tokio::test]
async fn state_and_refused_events_relate_to_nothing() {
    let (mut scene, models) = scene().await;
    let relates = json!({ "rel_type": "m.annotation", "event_id": event(MESSAGE), "key": "x" });
    let content = json!({ "m.relates_to": relates });
    scene.send("a", "alice", "m.reaction", Some(""), content).await;
    for content in [json!({ "m.relates_to": 1 }), json!({ "m.relates_to": {} })] {
        scene.send("a", "alice", "m.reaction", None, content).await;
    }
    assert_eq!(found(&models, "bob", MESSAGE, None).await, nothing());
    assert_eq!(models.view().parked(), []);
}

/// The output of version 1. Never edit this file.
#[tokio::test]
async fn rows_of_relations_are_those_of_the_golden_file() {
    let (mut scene, models) = scene().await;
    reacts(&mut scene, "bob", MESSAGE, "x").await;
    scene.send("a", "alice", "m.room.message", None, edits(MESSAGE)).await;
    scene.send("a", "bob", "m.room.message", None, in_thread(MESSAGE)).await;
    settle(&models).await;
    models.models().save().await.unwrap();
    let dir = scene.dir.path().join("generation-1");
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("../projection/tests/golden/format-2");
    let newest = fs::read_dir(&dir).unwrap().map(|entry| entry.unwrap().path()).filter(|path| {
        let name = path.file_stem().unwrap().to_str().unwrap();
        name.starts_with("relations-") && path.extension().unwrap() == "rows"
    });
    let written = fs::read(newest.max().unwrap()).unwrap();
    let golden = golden.join("relations-with-rows-v1.rows");
    if std::env::var_os("ROOKERY_WRITE_GOLDEN_FILES").is_some() {
        fs::write(&golden, &written).unwrap();
    }
    assert!(written == fs::read(golden).unwrap(), "relations are written otherwise than they were");
}

#[tokio::test]
async fn an_edit_reads_no_other_edits_and_counts_them() {
    let (mut scene, models) = scene().await;
    for _ in 0..3 {
        scene.send("a", "alice", "m.room.message", None, edits(MESSAGE)).await;
    }
    scene.send("a", "bob", "m.room.message", None, edits(MESSAGE)).await;
    reacts(&mut scene, "alice", MESSAGE, "👍").await;
    reacts(&mut scene, "bob", MESSAGE, "👍\u{fe0f}").await;
    let second = reacts(&mut scene, "bob", MESSAGE, "cafe\u{301}").await;
    settle(&models).await;
    let alice = Viewer::User(user("alice"));
    let known = models.known_to_refer(&[event(MESSAGE)], &alice).await.unwrap().remove(0);
    assert_eq!((known.edits, known.erases.len()), (3, 1), "the message alone");
    assert_eq!(known.reactions, ["caf\u{e9}", "👍"], "each once");
    redacts(&mut scene, MESSAGE + second.0 - 3).await;
    settle(&models).await;
    let known = models.known_to_refer(&[event(MESSAGE)], &alice).await.unwrap().remove(0);
    assert_eq!(known.reactions, ["👍"]);
    // Relations from a snapshot count the same.
    models.models().save().await.unwrap();
    drop(models);
    let models = scene.open().await;
    assert_eq!(
        models.known_to_refer(&[event(MESSAGE)], &alice).await.unwrap()[0].reactions,
        ["👍"]
    );
}
