//! Ignored users: each way to their events, before and after they are ignored.

use rookery_domain::{AccountEvent, EventId, OwnedEventId, Pdu};
use rookery_projection::RowKey;
use serde_json::{Value, json};

use crate::{
    Anchor, Reader, Subject, TimelineEvent, Unmetered, Viewer, Wanted,
    tests::testing::{Scene, room, settle, user},
};

/// The messages of the scene, by the numbers of their events.
const OF_ALICE: u64 = 8;
const OF_BOB: u64 = 9;
const OF_CAROL: u64 = 10;
const LAST_OF_BOB: u64 = 11;

fn event(number: u64) -> OwnedEventId {
    EventId::parse(format!("$event{number}")).unwrap()
}

/// A room of Alice, Bob and Carol with messages of all of them.
async fn scene() -> (Scene, Reader) {
    let mut scene = Scene::new();
    let models = scene.open().await;
    scene.create("a", "alice").await;
    for who in ["bob", "carol"] {
        scene.member("a", who, "join").await;
    }
    for who in ["alice", "bob", "carol", "bob"] {
        let content = json!({
            "msgtype": "m.text", "body": "hello",
            "m.mentions": { "user_ids": [user("alice")] },
        });
        scene.send("a", who, "m.room.message", None, content).await;
    }
    (scene, models)
}

/// Alice ignores Bob, or no longer.
async fn ignore(scene: &mut Scene, models: &Reader, is_ignored: bool) {
    let user_id = user("bob");
    let event = if is_ignored {
        AccountEvent::UserIgnored { user_id }
    } else {
        AccountEvent::UserUnignored { user_id }
    };
    scene.account("alice", event).await;
    settle(models).await;
}

fn viewer(who: &str) -> Viewer {
    Viewer::User(user(who))
}

/// The senders of the messages among these events, by name.
fn senders(events: &[TimelineEvent]) -> Vec<String> {
    let pdus = events.iter().map(|event| &event.event().pdu);
    let messages = pdus.filter(|pdu| pdu.state_key.is_none());
    messages.map(|pdu| pdu.sender.localpart().to_owned()).collect()
}

/// The senders on pages of one event each, from the end of the timeline.
async fn paged(models: &Reader, who: &str, filter: fn(&Pdu) -> bool) -> Vec<String> {
    let is_wanted = |event: &TimelineEvent| filter(&event.event().pdu);
    let (mut anchor, mut found) = (Anchor::End, Vec::new());
    loop {
        let wanted = Wanted { anchor, limit: 1, filter: Some(&is_wanted), until: None };
        let page = models.timeline(&room("a"), &viewer(who), wanted).await.unwrap();
        let Some(first) = page.events.first() else { return found };
        found.extend(senders(&page.events));
        anchor = Anchor::Before(first.row.key);
    }
}

#[tokio::test]
async fn no_page_of_a_timeline_has_messages_of_an_ignored_user() {
    let (mut scene, models) = scene().await;
    let is_message = |pdu: &Pdu| pdu.state_key.is_none();
    ignore(&mut scene, &models, true).await;
    assert_eq!(paged(&models, "alice", |_| true).await, ["carol", "alice"]);
    assert_eq!(paged(&models, "alice", is_message).await, ["carol", "alice"], "with a filter");
    let of_bob = |pdu: &Pdu| pdu.sender == user("bob") && pdu.state_key.is_none();
    assert!(paged(&models, "alice", of_bob).await.is_empty(), "with a filter for the user");
    assert_eq!(paged(&models, "carol", is_message).await, ["bob", "carol", "bob", "alice"]);
    let around = models.around(&room("a"), &viewer("alice"), &event(OF_CAROL), 9, None).await;
    let around = around.unwrap();
    assert_eq!(senders(&around.before.events), ["alice"]);
    assert!(around.after.events.is_empty());
    let is_join = |event: &TimelineEvent| event.event().pdu.sender == user("bob");
    assert!(around.before.events.iter().any(is_join), "state is on the page");
    ignore(&mut scene, &models, false).await;
    assert_eq!(paged(&models, "alice", is_message).await, ["bob", "carol", "bob", "alice"]);
}

#[tokio::test]
async fn a_message_of_an_ignored_user_is_not_found_by_its_id() {
    let (mut scene, models) = scene().await;
    for is_ignored in [true, false] {
        ignore(&mut scene, &models, is_ignored).await;
        for (number, is_of_bob) in [(OF_ALICE, false), (OF_BOB, true), (LAST_OF_BOB, true)] {
            let is_hidden = is_of_bob && is_ignored;
            let found = models.event(&event(number), &viewer("alice")).await.unwrap();
            assert_eq!(found.is_none(), is_hidden, "message {number}");
            let around = models.around(&room("a"), &viewer("alice"), &event(number), 1, None).await;
            assert_eq!(around.is_err(), is_hidden, "the page around {number}");
            assert!(models.event(&event(number), &viewer("carol")).await.unwrap().is_some());
        }
    }
}

/// Alice's view of the relations of her message and of a reply to Bob's.
async fn relations(models: &Reader) -> (usize, u64, bool) {
    let meter = &Unmetered;
    let pdu = |found: Option<(_, TimelineEvent)>| found.unwrap().1.event().pdu.clone();
    let of_alice = pdu(models.event(&event(OF_ALICE), &viewer("alice")).await.unwrap());
    let subject = Subject { event: &of_alice, until: None };
    let reactions = models.reactions(subject, &user("alice"), meter).await.unwrap();
    let thread = models.thread(subject, &user("alice"), meter).await.unwrap();
    if let Some(last) = thread.as_ref().and_then(|thread| thread.last_event.as_ref()) {
        let ignored = models.view().ignored_by(&user("alice"));
        assert!(!ignored.contains(&last.event().pdu.sender), "the end of the thread");
    }
    let reply = pdu(models.event(&event(LAST_OF_BOB + 1), &viewer("alice")).await.unwrap());
    let answered = models.answered_by(&reply, &user("alice"), meter).await.unwrap();
    let users = reactions.iter().map(|it| it.reactions.users.len()).sum();
    (users, thread.map_or(0, |thread| thread.count), answered.is_some())
}

#[tokio::test]
async fn relations_of_an_ignored_user_are_left_out() {
    let (mut scene, models) = scene().await;
    let relates = |relation: Value| json!({ "m.relates_to": relation });
    let reply = relates(json!({ "m.in_reply_to": { "event_id": event(OF_BOB) } }));
    scene.send("a", "carol", "m.room.message", None, reply).await;
    for who in ["carol", "bob"] {
        let part = relates(json!({ "rel_type": "m.thread", "event_id": event(OF_ALICE) }));
        scene.send("a", who, "m.room.message", None, part).await;
        let reaction = json!({
            "rel_type": "m.annotation", "event_id": event(OF_ALICE), "key": "+"
        });
        scene.send("a", who, "m.reaction", None, relates(reaction)).await;
    }
    settle(&models).await;
    assert_eq!(relations(&models).await, (2, 2, true));
    ignore(&mut scene, &models, true).await;
    assert_eq!(relations(&models).await, (1, 1, false));
    ignore(&mut scene, &models, false).await;
    assert_eq!(relations(&models).await, (2, 2, true));
}

#[tokio::test]
async fn messages_of_an_ignored_user_are_not_unread_and_not_the_last_ones() {
    let (mut scene, models) = scene().await;
    for (is_ignored, counts, last) in [(true, (1, 1), "carol"), (false, (3, 3), "bob")] {
        ignore(&mut scene, &models, is_ignored).await;
        let newest: Option<RowKey> = {
            let view = models.view();
            let room = view.room(&room("a")).unwrap();
            let unread = room.unread(&user("alice"));
            assert_eq!((unread.messages, unread.highlights), counts);
            assert_eq!(room.unread(&user("carol")).messages, 1, "for another user");
            room.summary().last_message
        };
        let within = (&Unmetered as &dyn crate::Meter, &crate::Scans::default());
        let wanted = (newest, crate::Kept::default());
        let found = models.last_message(&room("a"), &user("alice"), wanted, within).await;
        assert_eq!(senders(found.unwrap().as_slice()), [last]);
    }
}
