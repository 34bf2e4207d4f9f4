//! Redacted content reaches nobody, once the models know of the redaction.

use std::{fs, path::Path};

use rookery_domain::{AccountEvent, EventId, Fact};
use rookery_log::{ErasableLog, Position};
use rookery_projection::Committed;
use rookery_view::{Anchor, Viewer, Wanted};
use serde_json::json;

use crate::{
    Feeds,
    tests::testing::{Options, Redacted, Scene, room, settle, user},
};

const SECRET: &str = "the owl flies at midnight";

/// A room with a secret of Alice's in its message, topic, name and the reason of Bob's join. Its
/// first five events are one commit, the others one each.
async fn scene() -> (Scene, Feeds) {
    let mut scene = Scene::new();
    // Nothing is kept in memory, so everything is read from the log again.
    let options = Options { ring_commits_max: Some(2), rebuild_threads: 2, ..Options::default() };
    let models = scene.open_with(options).await;
    scene.create("a", "alice").await;
    let key = user("bob");
    let member = json!({ "membership": "join", "displayname": SECRET, "reason": SECRET });
    scene.send("a", "bob", "m.room.member", Some(key.as_str()), member).await;
    let topic = json!({ "topic": SECRET });
    scene.send("a", "alice", "m.room.topic", Some(""), topic).await;
    let message = json!({ "msgtype": "m.text", "body": SECRET });
    scene.send("a", "alice", "m.room.message", None, message).await;
    for _ in 0..4 {
        scene.message("a", "alice").await;
    }
    settle(&models).await;
    (scene, models)
}

/// The places of the events in the order of arrival, without the create event: see [`Scene::redact`].
const MEMBER: usize = 4;
const TOPIC: usize = 5;
const MESSAGE: usize = 6;

async fn redact(scene: &mut Scene, models: &Feeds, which: usize) -> Redacted {
    let redacted = scene.redact("a", which).await.unwrap();
    settle(models).await;
    redacted
}

fn has_secret(committed: &Committed) -> bool {
    committed.room_events().any(|(_, event)| {
        String::from_utf8_lossy(&event.pdu.json).contains(SECRET)
            || event.pdu.content.get().contains(SECRET)
    })
}

/// How many commits contain the secret, by every way to read them.
async fn found(models: &Feeds) -> [usize; 3] {
    let anchors = [Anchor::Start, Anchor::End];
    let mut pages = 0;
    for anchor in anchors {
        let wanted = Wanted { anchor, limit: 50, filter: None, until: None };
        let page = models.reader().timeline(&room("a"), &Viewer::Server, wanted).await.unwrap();
        pages += page.events.iter().filter(|event| has_secret(&event.committed)).count();
    }
    let batch = models.follower().next(Position::ORIGIN, 50).await.unwrap();
    let followed = batch.commits.iter().filter(|commit| has_secret(commit)).count();
    let mut single = 0;
    for number in 6..=8 {
        let event = EventId::parse(format!("$event{number}")).unwrap();
        let (_, event) = models.reader().event(&event, &Viewer::Server).await.unwrap().unwrap();
        single += usize::from(has_secret(&event.committed));
    }
    [pages, followed, single]
}

#[tokio::test]
async fn content_is_gone_from_every_answer_even_while_the_log_has_it() {
    let (mut scene, models) = scene().await;
    assert_eq!(found(&models).await, [6, 3, 3], "the search finds what is there");
    for (which, left) in [(MESSAGE, 2), (TOPIC, 1), (MEMBER, 0)] {
        redact(&mut scene, &models, which).await;
        assert_eq!(found(&models).await, [2 * left, left, left]);
    }
    let reopened = scene.open().await;
    assert_eq!(found(&reopened).await, [0, 0, 0]);
}

#[tokio::test]
async fn a_commit_that_has_just_arrived_is_held_without_what_is_redacted_in_the_same_breath() {
    let mut scene = Scene::new();
    let models = scene.open().await;
    scene.create("a", "alice").await;
    let message = json!({ "msgtype": "m.text", "body": SECRET });
    scene.send("a", "alice", "m.room.message", None, message).await;
    scene.redact("a", 4).await.unwrap();
    settle(&models).await;
    let batch = models.follower().next(Position::ORIGIN, 50).await.unwrap();
    assert_eq!(batch.commits.len(), 3);
    assert!(!batch.commits.iter().any(|commit| has_secret(commit)));
}

#[tokio::test]
async fn pages_that_are_kept_for_those_who_catch_up_lose_what_is_redacted() {
    let (mut scene, models) = scene().await;
    let secrets = async || {
        let batch = models.follower().next(Position::ORIGIN, 50).await.unwrap();
        batch.commits.iter().filter(|commit| has_secret(commit)).count()
    };
    assert_eq!(secrets().await, 3);
    redact(&mut scene, &models, MESSAGE).await;
    assert_eq!(secrets().await, 2);
    assert_eq!(models.counters().page_reads, 2, "the first page has been read once");
}

#[tokio::test]
async fn summaries_and_members_forget_what_redacted_state_has_said() {
    let (mut scene, models) = scene().await;
    let last = models.view().room(&room("a")).unwrap().summary().last_message;
    for which in [TOPIC, MEMBER] {
        let redacted = redact(&mut scene, &models, which).await;
        scene.erase(redacted).await;
    }
    assert_eq!(models.models().verify(|_| {}).await.unwrap(), []);
    let view = models.view();
    let room = view.room(&room("a")).unwrap();
    assert_eq!((&room.summary().topic, room.joined_count()), (&None, 2));
    let member = room.member(&user("bob")).unwrap();
    assert_eq!((&member.displayname, &member.avatar_url), (&None, &None));
    assert_eq!(room.summary().last_message, last, "a redaction is no message");
}

#[tokio::test]
async fn state_that_has_been_replaced_since_leaves_the_summary_alone() {
    let (mut scene, models) = scene().await;
    let topic = json!({ "topic": "open" });
    scene.send("a", "alice", "m.room.topic", Some(""), topic).await;
    redact(&mut scene, &models, TOPIC).await;
    let view = models.view();
    assert_eq!(view.room(&room("a")).unwrap().summary().topic.as_deref(), Some("open"));
}

#[tokio::test]
async fn who_may_see_the_redaction_learns_by_which_event_and_why() {
    let (mut scene, models) = scene().await;
    scene.member("a", "carol", "join").await;
    scene.member("a", "carol", "leave").await;
    let Redacted { redaction, target } = redact(&mut scene, &models, MESSAGE).await;
    {
        let view = models.view();
        let room = view.room(&room("a")).unwrap();
        assert_eq!(room.redaction(target.0, target.1).map(|key| key.position), Some(redaction));
        assert_eq!(room.redaction(redaction, 0), None);
    }
    for (who, sees) in [("bob", true), ("carol", false), ("dan", false)] {
        let viewer = Viewer::User(user(who));
        let by = models.reader().redacted_by(&room("a"), &viewer, target).await.unwrap();
        assert_eq!(by.map(|by| by.row.key.position), sees.then_some(redaction), "{who}");
    }
    redact(&mut scene, &models, MESSAGE).await;
    let by =
        models.reader().redacted_by(&room("a"), &Viewer::Server, target).await.unwrap().unwrap();
    assert_eq!(by.row.key.position, redaction, "the first redaction counts");
    let redacted = EventId::parse("$event8").unwrap();
    let known = models.reader().known(&[redacted], &Viewer::Server).await.unwrap();
    assert!(known[0].redacted);
}

#[tokio::test]
async fn verification_agrees_while_content_is_being_redacted() {
    let (mut scene, models) = scene().await;
    let verifier = models.clone();
    let verifying = tokio::spawn(async move {
        for _ in 0..6 {
            assert_eq!(verifier.models().verify(|_| {}).await.unwrap(), []);
        }
    });
    let mut which = MEMBER;
    while !verifying.is_finished() {
        let topic = json!({ "topic": which.to_string() });
        scene.send("a", "alice", "m.room.topic", Some(""), topic).await;
        if let Some(redacted) = scene.redact("a", which).await {
            scene.erase(redacted).await;
        }
        which += 1;
        tokio::task::yield_now().await;
    }
    verifying.await.unwrap();
}

#[tokio::test]
async fn an_edit_that_was_redacted_leaves_no_trace_in_the_summary() {
    let (mut scene, models) = scene().await;
    let relates = json!({ "rel_type": "m.replace", "event_id": "$event8" });
    let edit = json!({ "msgtype": "m.text", "body": "edited", "m.relates_to": relates });
    scene.send("a", "alice", "m.room.message", None, edit).await;
    settle(&models).await;
    let which = 11;
    let redacted = redact(&mut scene, &models, which).await;
    assert_eq!(redacted.target.0, Position(9), "it is the edit");
    scene.erase(redacted).await;
    assert_eq!(models.models().verify(|_| {}).await.unwrap(), []);
    let last = |models: &Feeds| models.view().room(&room("a")).unwrap().summary().last_message;
    assert_eq!(last(&models), None);
    let message = scene.message("a", "alice").await;
    settle(&models).await;
    assert_eq!(last(&models).map(|key| key.position), Some(message));
}

#[tokio::test]
async fn a_room_that_is_set_aside_forgets_too() {
    let (mut scene, models) = scene().await;
    scene.garbage("a").await;
    let redacted = redact(&mut scene, &models, TOPIC).await;
    scene.erase(redacted).await;
    assert_eq!(models.view().room(&room("a")).unwrap().summary().topic, None);
    assert_eq!(models.models().verify(|_| {}).await.unwrap(), []);
}

/// The output of version 1. Never edit this file.
#[tokio::test]
async fn rows_of_redactions_are_those_of_the_golden_file() {
    let (mut scene, models) = scene().await;
    redact(&mut scene, &models, MESSAGE).await;
    redact(&mut scene, &models, TOPIC).await;
    models.models().save().await.unwrap();
    let dir = scene.dir.path().join("generation-1");
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("../projection/tests/golden/format-2");
    let newest = fs::read_dir(&dir).unwrap().map(|entry| entry.unwrap().path()).filter(|path| {
        let name = path.file_stem().unwrap().to_str().unwrap();
        name.starts_with("redactions-") && path.extension().unwrap() == "rows"
    });
    let written = fs::read(newest.max().unwrap()).unwrap();
    let golden = golden.join("redactions-with-rows-v1.rows");
    if std::env::var_os("ROOKERY_WRITE_GOLDEN_FILES").is_some() {
        fs::write(&golden, &written).unwrap();
    }
    assert!(
        written == fs::read(golden).unwrap(),
        "redactions are written otherwise than they were"
    );
}

#[tokio::test]
async fn no_snapshot_has_the_content_once_it_is_written_anew() {
    let (mut scene, models) = scene().await;
    models.models().save().await.unwrap();
    let dir = scene.dir.path().join("generation-1");
    let with_secret = || {
        let files = fs::read_dir(&dir).unwrap().map(|file| fs::read(file.unwrap().path()).unwrap());
        let found =
            |bytes: &Vec<u8>| bytes.windows(SECRET.len()).any(|window| window == SECRET.as_bytes());
        files.filter(found).count()
    };
    assert!(with_secret() > 0, "the search finds what is there");
    for which in [MEMBER, TOPIC, MESSAGE] {
        redact(&mut scene, &models, which).await;
    }
    models.models().save().await.unwrap();
    assert_eq!(with_secret(), 0);
}

#[tokio::test]
async fn a_name_that_its_user_has_given_up_can_be_erased_from_her_own_stream() {
    let mut scene = Scene::new();
    let models = scene.open().await;
    let position = scene.profile("bob", SECRET).await;
    scene.profile("bob", "Bob").await;
    settle(&models).await;
    let nothing = AccountEvent::ProfileChanged { displayname: None, avatar_url: None };
    let left = Fact::Account(nothing).store([0; 16]).content;
    scene.log.erase(position, 0, left).await.unwrap();
    assert_eq!(models.models().verify(|_| {}).await.unwrap(), []);
    models.models().rebuild(|_| {}).await.unwrap();
    let view = models.view();
    assert_eq!(view.parked(), []);
    let profile = view.profile(&user("bob")).unwrap();
    assert_eq!(profile.displayname.as_deref(), Some("Bob"));
}
