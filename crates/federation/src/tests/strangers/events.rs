//! Events that are forged, altered, too large, or authorised by the wrong events.

use rookery_domain::{EventStatus, OwnedEventId, SigningKey};
use serde_json::{Value, json};

use super::{super::pair::log_of, forge::Forge};

/// The status of an event in the log; `None` if it is not there.
async fn status_of(forge: &Forge, id: &OwnedEventId) -> Option<EventStatus> {
    let log = log_of(&forge.here, &forge.room).await;
    log.into_iter().find(|event| event.pdu.event_id == *id).map(|event| event.envelope.status)
}

/// The texts of the messages that are shown.
async fn shown(forge: &Forge) -> Vec<String> {
    let log = log_of(&forge.here, &forge.room).await;
    let accepted = log.iter().filter(|it| it.envelope.status == EventStatus::Accepted);
    let content = accepted.filter_map(|it| it.pdu.content_as::<Value>());
    content.filter_map(|it| Some(it["body"].as_str()?.to_owned())).collect()
}

/// Sends events that have to be refused, each with a part of the reason, and with its status in the log afterwards.
async fn check(
    forge: &Forge,
    cases: Vec<(&str, (OwnedEventId, Value), &str)>,
    status: Option<EventStatus>,
) {
    for (name, (id, event), reason) in cases {
        let before = forge.here.server.log.tail().borrow().0;
        let outcomes = forge.send(&event).await;
        let error = outcomes[id.as_str()]["error"].as_str().unwrap_or_default();
        assert!(error.contains(reason), "{name}: {outcomes}");
        assert_eq!(status_of(forge, &id).await, status, "{name}");
        if status.is_none() {
            assert_eq!(
                forge.here.server.log.tail().borrow().0,
                before,
                "{name}: the log has grown"
            );
        }
    }
    // The room goes on.
    let (id, event) =
        forge.event(json!({ "content": { "msgtype": "m.text", "body": "after all" } }));
    assert_eq!(forge.send(&event).await, json!({ id.as_str(): {} }));
    assert_eq!(shown(forge).await, ["after all"]);
}

#[tokio::test]
async fn forged_events_are_refused_by_name_and_leave_nothing() {
    let forge = Forge::open().await;
    let other_key = SigningKey::from_seed([4; 32], "peer").unwrap();
    let text = |body: &str| json!({ "content": { "msgtype": "m.text", "body": body } });
    let ours = format!("@ann:{}", forge.here.name);
    let mut unsigned = forge.event(text("unsigned"));
    unsigned.1["signatures"] = json!({});
    let mut renamed = forge.event(text("signed under another name"));
    let signature = renamed.1["signatures"][forge.peer.name.as_str()].take();
    renamed.1["signatures"] = json!({ "localhost:1": signature });
    let cases = vec![
        (
            "a user of this server",
            forge.event(json!({ "sender": ours })),
            "claims to be from this server",
        ),
        (
            "a user of a third server",
            forge.event(json!({ "sender": "@eve:localhost:1" })),
            "the signatures do not hold",
        ),
        (
            "another key",
            forge.signed_by(text("another key"), &other_key),
            "the signatures do not hold",
        ),
        ("no signature", unsigned, "the signatures do not hold"),
        ("another name", renamed, "the signatures do not hold"),
        (
            "a second create event",
            forge.event(json!({
                "type": "m.room.create", "state_key": "", "content": { "room_version": "12" },
            })),
            "the room was created by another event",
        ),
    ];
    check(&forge, cases, None).await;
}

#[tokio::test]
async fn events_with_wrong_auth_events_are_rejected_for_good() {
    let forge = Forge::open().await;
    let elsewhere = Forge::open().await;
    let (auth, join) = (forge.auth(), forge.join.to_string());
    let with = |more: &str| [auth.clone(), vec![more.to_owned()]].concat();
    let member = forge.joined["state"].as_array().unwrap();
    let ann = member.iter().find(|it| it["type"] == "m.room.member").unwrap()["state_key"].clone();
    let levels = json!({ "users": { forge.peer.user().as_str(): 100 } });
    let event = |change: Value| forge.event(change);
    let cases = vec![
        ("none", event(json!({ "auth_events": [] })), "membership is not `join`"),
        (
            "without the join",
            event(
                json!({ "auth_events": auth.iter().filter(|it| **it != join).collect::<Vec<_>>() }),
            ),
            "membership is not `join`",
        ),
        ("one twice", event(json!({ "auth_events": with(&join) })), "duplicate auth event"),
        (
            "one that is of no use",
            event(json!({ "auth_events": with(&forge.id_of("m.room.join_rules")) })),
            "unexpected auth event",
        ),
        (
            "a ban by somebody without power",
            event(json!({
                "type": "m.room.member", "state_key": ann, "content": { "membership": "ban" },
            })),
            "enough power to ban",
        ),
        (
            "power for oneself",
            event(json!({
                "type": "m.room.power_levels", "state_key": "", "content": levels,
            })),
            "enough power to send",
        ),
        (
            "a state that needs power",
            event(json!({
                "type": "m.room.name", "state_key": "", "content": { "name": "taken over" },
            })),
            "enough power to send",
        ),
    ];
    check(&forge, cases, Some(EventStatus::Rejected)).await;
    // An event that another room authorises waits for events that never come.
    let (id, event) = forge.event(json!({ "auth_events": elsewhere.auth() }));
    forge.send(&event).await;
    assert_eq!(status_of(&forge, &id).await, None);
    assert_eq!(shown(&forge).await, ["after all"]);
}

#[tokio::test]
async fn an_event_beyond_64_kib_is_refused_and_one_at_the_bound_is_taken() {
    let forge = Forge::open().await;
    let of_size = |bytes: usize| {
        let made = |fill: usize| {
            let body = "x".repeat(fill);
            forge.event(json!({ "content": { "msgtype": "m.text", "body": body } }))
        };
        let rest = made(0).1.to_string().len();
        let event = made(bytes - rest);
        assert_eq!(event.1.to_string().len(), bytes);
        event
    };
    let before = forge.here.server.log.tail().borrow().0;
    // Its ID is not computed, so nothing can be said of it.
    let (id, event) = of_size(64 * 1024 + 1);
    assert_eq!(forge.send(&event).await, json!({}));
    assert_eq!(status_of(&forge, &id).await, None);
    let mut deep = json!("deep");
    for _ in 0..64 {
        deep = json!([deep]);
    }
    for change in [
        json!({ "content": { "deep": deep } }),
        json!({ "depth": -1 }),
        json!({ "prev_events": "none" }),
    ] {
        let (id, event) = forge.event(change);
        assert_eq!(forge.send(&event).await, json!({}), "{id}");
    }
    assert_eq!(forge.here.server.log.tail().borrow().0, before);
    let (id, event) = of_size(65_535);
    assert_eq!(forge.send(&event).await, json!({ id.as_str(): {} }));
    assert_eq!(status_of(&forge, &id).await, Some(EventStatus::Accepted));
}

#[tokio::test]
async fn an_event_whose_content_was_altered_is_taken_without_it() {
    let forge = Forge::open().await;
    let (id, mut event) = forge.event(json!({}));
    event["content"]["body"] = json!("altered on the way");
    assert_eq!(forge.send(&event).await, json!({ id.as_str(): {} }));
    assert_eq!(status_of(&forge, &id).await, Some(EventStatus::Accepted));
    assert_eq!(shown(&forge).await, Vec::<String>::new());
}

#[tokio::test]
async fn the_greatest_depth_harms_nobody() {
    let forge = Forge::open().await;
    let most: u64 = (1 << 53) - 1;
    let (id, event) = forge.event(json!({ "depth": most }));
    assert_eq!(forge.send(&event).await, json!({ id.as_str(): {} }));
    forge.here.say(&forge.room, "after the deepest").await;
    let log = log_of(&forge.here, &forge.room).await;
    let last = log.last().unwrap();
    assert_eq!((last.pdu.depth, last.pdu.prev_events.contains(&id)), (most, true));
    // Other servers take what follows it.
    let (next, event) = forge.event(json!({ "depth": most, "prev_events": [last.pdu.event_id] }));
    assert_eq!(forge.send(&event).await, json!({ next.as_str(): {} }));
    assert_eq!(status_of(&forge, &next).await, Some(EventStatus::Accepted));
}
