//! The viewers of calls, now and later.
#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

use rookery_domain::{
    AccountEvent, CallChange, CallId, CallStep, EndReason, Envelope, EventId, PartyId,
};
use rookery_log::{Position, StreamId, StreamKind};
use serde_json::json;

use crate::{
    Reader, RoomCall, Unmetered,
    tests::testing::{Scene, room, room_id, settle, user},
};

fn id(number: u8) -> CallId {
    CallId::of([number; 16])
}

fn party(number: u8) -> PartyId {
    PartyId::of([number; 16])
}

/// Appends an event that makes a step in a call.
async fn step(scene: &mut Scene, number: u8, sender: &str, step: CallStep) -> Position {
    let content = json!({
        "call_id": id(number), "party_id": party(number), "version": "1", "lifetime": 90_000,
        "invitee": user("bob"), "org.rookery.media": "audio",
    });
    let kind = match step {
        CallStep::Placed => "m.call.invite",
        CallStep::Answered { .. } => "m.call.answer",
        CallStep::Ended { .. } => "m.call.hangup",
    };
    let mut event = scene.event("a", sender, kind, None, &content, 0);
    let calls = vec![CallChange { call_id: id(number), step }];
    let envelope = Envelope { calls, ..Envelope::local(Some("PHONE".to_owned()), None) };
    event.envelope = serde_json::to_vec(&envelope).unwrap().into();
    scene.append(StreamId::new(StreamKind::Room, &room_id("a")), vec![event]).await
}

async fn end(scene: &mut Scene, number: u8, sender: &str) -> Position {
    step(scene, number, sender, CallStep::Ended { reason: EndReason::UserHangup, answer: None })
        .await
}

/// Alice calls Bob in a room that Carol has joined, too.
async fn scene() -> (Scene, Reader) {
    let mut scene = Scene::new();
    let reader = scene.open().await;
    scene.create("a", "alice").await;
    for who in ["bob", "carol"] {
        scene.member("a", who, "join").await;
    }
    step(&mut scene, 1, "alice", CallStep::Placed).await;
    settle(&reader).await;
    (scene, reader)
}

fn number(call: Option<RoomCall>) -> Option<CallId> {
    call.map(|call| call.call.id)
}

async fn past(reader: &Reader, who: &str) -> Vec<CallId> {
    let page = reader.past_calls(&room("a"), &user(who), (None, 10), &Unmetered).await.unwrap();
    page.calls.into_iter().map(|call| call.call.id).collect()
}

#[tokio::test]
async fn members_see_a_call_and_only_its_users_have_it() {
    let (_scene, reader) = scene().await;
    let view = reader.view();
    let seen = |who: &str| number(view.call_in(&room("a"), &user(who)));
    let own = |who: &str| number(view.call_of(&user(who)));
    assert_eq!(
        ["alice", "bob", "carol", "dan"].map(seen),
        [Some(id(1)), Some(id(1)), Some(id(1)), None]
    );
    assert_eq!(["alice", "bob", "carol", "dan"].map(own), [Some(id(1)), Some(id(1)), None, None]);
    assert_eq!(view.active_calls().len(), 1, "each call once");
    assert!(view.call_for(&room("a"), &id(1), &user("dan")).is_none());
    assert!(view.own_call(&user("carol"), &id(1)).is_none());
}

#[tokio::test]
async fn a_past_call_is_seen_by_those_who_saw_its_begin_and_its_end() {
    let (mut scene, reader) = scene().await;
    scene.member("a", "carol", "leave").await;
    let at = end(&mut scene, 1, "bob").await;
    settle(&reader).await;
    assert_eq!(past(&reader, "alice").await, [id(1)]);
    assert_eq!((past(&reader, "carol").await, past(&reader, "dan").await), (vec![], vec![]));
    let ended = |who: &str| {
        let (reader, who) = (reader.clone(), user(who));
        async move { reader.call_ended_at(&room("a"), (at, 0), &id(1), &who).await.unwrap() }
    };
    assert_eq!(number(ended("bob").await), Some(id(1)));
    assert_eq!(ended("carol").await, None);
    // Carol, who is no member any more, has no call to see, and Alice finds it by its invite.
    let invite = EventId::parse("$event8").unwrap();
    let by_invite = |who: &str| {
        let (reader, who, invite) = (reader.clone(), user(who), invite.clone());
        async move { number(reader.call_by_invite(&invite, &who).await.unwrap()) }
    };
    let all = [by_invite("alice").await, by_invite("carol").await, by_invite("dan").await];
    assert_eq!(all, [Some(id(1)), None, None]);
}

#[tokio::test]
async fn a_user_who_ignores_the_caller_learns_nothing_until_they_answer() {
    let (mut scene, reader) = scene().await;
    scene.account("bob", AccountEvent::UserIgnored { user_id: user("alice") }).await;
    settle(&reader).await;
    let bob = user("bob");
    {
        let view = reader.view();
        assert!(view.call_of(&bob).is_none() && view.call_in(&room("a"), &bob).is_none());
        assert!(view.own_call(&bob, &id(1)).is_none());
        assert_eq!(number(view.call_of(&user("alice"))), Some(id(1)));
    }
    step(&mut scene, 1, "bob", CallStep::Answered { party: party(9) }).await;
    settle(&reader).await;
    assert_eq!(number(reader.view().call_of(&bob)), Some(id(1)));
    end(&mut scene, 1, "bob").await;
    settle(&reader).await;
    assert_eq!(past(&reader, "alice").await, [id(1)]);
}

#[tokio::test]
async fn past_calls_come_in_pages_newest_first() {
    let (mut scene, reader) = scene().await;
    end(&mut scene, 1, "alice").await;
    for number in 2..=40 {
        step(&mut scene, number, "alice", CallStep::Placed).await;
        end(&mut scene, number, "alice").await;
    }
    settle(&reader).await;
    let (mut before, mut all) = (None, Vec::new());
    loop {
        let wanted = (before, 7);
        let page = reader.past_calls(&room("a"), &user("bob"), wanted, &Unmetered).await.unwrap();
        before = page.calls.last().map(|call| call.invite);
        all.extend(page.calls.into_iter().map(|call| call.call.id));
        if !page.has_more {
            break;
        }
    }
    assert_eq!(all, (1..=40).rev().map(id).collect::<Vec<_>>());
}
