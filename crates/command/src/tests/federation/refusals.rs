//! Events that are refused, and events that are taken without effect.

use rookery_domain::{
    EventStatus, JsonObject, OwnedEventId, PowerLevelsChange, RoomCommand, RoomId, RoomVersionId,
    SigningKey,
};
use rookery_log::Millis;
use serde_json::{json, value::RawValue};

use super::{VERSIONS, object, resigned, topic, two_servers};
use crate::{
    HELD_PER_ROOM_MAX, Receipt, Received, TrustedKeys,
    testing::{Rogue, Sent, Server, World, folded},
    tests::{join, text},
};

/// Delivers an event to the first server.
async fn give(world: &World, sent: &Sent) -> Received {
    sent.deliver(&world.servers[0].commands, &world.keys).await.received
}

/// The event of the last command of the second server.
fn last(world: &World) -> Sent {
    world.sent.last().unwrap().clone()
}

fn altered(sent: &Sent, alter: impl FnOnce(&mut JsonObject)) -> Sent {
    let mut event = object(sent);
    alter(&mut event);
    let json = RawValue::from_string(serde_json::to_string(&event).unwrap()).unwrap();
    Sent { json, ..sent.clone() }
}

#[track_caller]
fn refused(received: &Received, why: &str) {
    let Received::Refused { reason } = received else { panic!("{received:?}") };
    assert!(reason.contains(why), "{reason}");
}

#[tokio::test]
async fn events_without_the_signature_of_their_server_are_refused() {
    for version in VERSIONS {
        let mut world = two_servers(version).await;
        assert!(world.let_act(1, "ann", &topic("signed")).await);
        let sent = last(&world);
        let unsigned = altered(&sent, |event| drop(event.remove("signatures")));
        refused(&give(&world, &unsigned).await, "signatures do not hold");
        let broken = altered(&sent, |event| {
            let signature = &mut event["signatures"]["two.example"]["ed25519:sim"];
            let text = signature.as_str().unwrap();
            let flipped = if text.starts_with('A') { "B" } else { "A" };
            *signature = format!("{flipped}{}", &text[1..]).into();
        });
        refused(&give(&world, &broken).await, "signatures do not hold");

        let mut other_key = TrustedKeys::default();
        let wrong = SigningKey::from_seed([1; 32], "sim").unwrap();
        let server = world.servers[1].name.clone();
        other_key.insert(server, "ed25519:sim".to_owned(), wrong.public_key());
        let keys = std::mem::replace(&mut world.keys, other_key);
        refused(&give(&world, &sent).await, "signatures do not hold");
        world.keys = TrustedKeys::default();
        refused(&give(&world, &sent).await, "signatures do not hold");
        world.keys = keys;
        assert!(matches!(give(&world, &sent).await, Received::Accepted { .. }));
    }
}

#[tokio::test]
async fn content_that_is_not_what_was_hashed_is_gone() {
    let mut world = two_servers(RoomVersionId::V12).await;
    assert!(world.let_act(1, "ann", &topic("as it was")).await);
    let sent = last(&world);
    let tampered = altered(&sent, |event| event["content"] = json!({ "topic": "owned" }));
    assert!(matches!(give(&world, &tampered).await, Received::Accepted { .. }));
    let room = crate::testing::room_of(&*world.servers[0].log, &world.room_id).await;
    let held = room.state("m.room.topic", "").unwrap();
    assert_eq!(held.event_id, sent.event_id);
    assert_eq!(held.content.get(), "{}");
    // The real one comes too late: it is known, and only its hash proves its content.
    let known = Received::Known { status: EventStatus::Accepted };
    assert_eq!(give(&world, &sent).await, known);
}

#[tokio::test]
async fn changing_what_redaction_keeps_changes_the_event() {
    let mut world = two_servers(RoomVersionId::V12).await;
    assert!(world.let_act(1, "ann", &topic("as it was")).await);
    let sent = last(&world);
    for alter in [
        (|event| event["hashes"] = json!({ "sha256": "AAAA" })) as fn(&mut JsonObject),
        |event| event["depth"] = 1.into(),
        |event| event["sender"] = "@ben:two.example".into(),
    ] {
        refused(&give(&world, &altered(&sent, alter)).await, "signatures do not hold");
    }
}

#[tokio::test]
async fn what_has_not_the_form_of_an_event_is_refused() {
    let mut world = two_servers(RoomVersionId::V12).await;
    assert!(world.let_act(1, "ann", &text("a message")).await);
    let sent = last(&world);
    let huge = "x".repeat(70_000);
    let deep = (0..70).fold(json!(1), |inner, _| json!([inner]));
    let float = altered(&sent, |event| event["content"] = json!({ "half": 0.5 }));
    for (event, why) in [
        (altered(&sent, |event| event["content"] = json!({ "body": huge })), "the most is 65535"),
        (altered(&sent, |event| event["content"] = deep), "nests deeper"),
        (altered(&sent, |event| drop(event.remove("depth"))), "form"),
        (altered(&sent, |event| event["prev_events"] = json!("none")), "form"),
        (altered(&sent, |event| event["sender"] = "nobody".into()), "form"),
        (altered(&sent, |event| event["room_id"] = 7.into()), "form"),
        (float, "canonical JSON"),
    ] {
        let receipt = event.deliver(&world.servers[0].commands, &world.keys).await;
        refused(&receipt.received, why);
    }
}

#[tokio::test]
async fn what_others_write_beside_an_event_is_not_kept() {
    let mut world = two_servers(RoomVersionId::V12).await;
    assert!(world.let_act(1, "ann", &topic("plain")).await);
    let noted =
        altered(&last(&world), |event| drop(event.insert("unsigned".into(), json!({ "a": 1 }))));
    assert!(matches!(give(&world, &noted).await, Received::Accepted { .. }));
    let room = crate::testing::room_of(&*world.servers[0].log, &world.room_id).await;
    let json = &room.state("m.room.topic", "").unwrap().json;
    assert!(!std::str::from_utf8(json).unwrap().contains("unsigned"));
}

#[tokio::test]
async fn events_of_a_room_that_nobody_opened_wait() {
    let world = two_servers(RoomVersionId::V11).await;
    let late = Server::in_memory("late.example");
    for sent in &world.sent[1..3] {
        let receipt = sent.deliver(&late.commands, &world.keys).await;
        assert_eq!(receipt.received, Received::Held { missing: Vec::new() });
    }
    // In one delivery the order does not matter.
    let mut pdus: Vec<_> = world.sent.iter().map(|sent| sent.json.clone()).collect();
    pdus.reverse();
    let (room, origin) = (&world.room_id, &world.sent[0].origin);
    let receipts = late.commands.receive(&world.keys, origin, room, &pdus, Millis(1)).await;
    let accepted = |receipt: &Receipt| matches!(receipt.received, Received::Accepted { .. });
    assert!(receipts.unwrap().iter().all(accepted));
}

#[tokio::test]
async fn a_tampered_create_event_does_not_stand_for_the_real_one() {
    let world = two_servers(RoomVersionId::V10).await;
    let late = Server::in_memory("late.example");
    // Its signature is valid, because that covers only the redacted form.
    let tampered = altered(&world.sent[0], |event| event["content"]["predecessor"] = json!({}));
    let receipt = tampered.deliver(&late.commands, &world.keys).await;
    assert_eq!(receipt.event_id.as_ref(), Some(&world.sent[0].event_id));
    refused(&receipt.received, "does not know the room's version");
    for sent in &world.sent {
        let receipt = sent.deliver(&late.commands, &world.keys).await;
        assert!(matches!(receipt.received, Received::Accepted { .. }), "{receipt:?}");
    }
}

#[tokio::test]
async fn events_of_another_room_are_refused() {
    let mut world = two_servers(RoomVersionId::V12).await;
    assert!(world.let_act(1, "ann", &topic("here")).await);
    let (sent, other) = (last(&world), World::new(9, RoomVersionId::V12, 1).await.room_id);
    let elsewhere = Sent { room_id: other, ..sent.clone() };
    refused(&give(&world, &elsewhere).await, "not known here");
    let other = two_servers(RoomVersionId::V12).await;
    let taken = |room: &RoomId| Sent { room_id: room.to_owned(), ..sent.clone() };
    let receipt = taken(&other.room_id).deliver(&other.servers[0].commands, &world.keys).await;
    if other.room_id != world.room_id {
        refused(&receipt.received, "it is an event of the room");
    }
}

#[tokio::test]
async fn a_second_creation_of_a_room_is_refused() {
    let world = two_servers(RoomVersionId::V11).await;
    let create = &world.sent[0];
    let again = Rogue::over(&world.servers[0]).sign(
        &{
            let mut event = object(create);
            event["origin_server_ts"] = 5.into();
            event
        },
        create,
        &world.version,
    );
    let again = again.unwrap();
    let receipt = again.deliver(&world.servers[1].commands, &world.keys).await;
    refused(&receipt.received, "created by another event");
}

#[tokio::test]
async fn events_of_our_users_come_from_us_alone() {
    let world = two_servers(RoomVersionId::V12).await;
    let from_here = |sent: &&Sent| sent.origin == world.servers[0].name;
    let own = world.sent[1..].iter().find(from_here).unwrap();
    let known = Received::Known { status: EventStatus::Accepted };
    assert_eq!(give(&world, own).await, known);
    let forged = altered(own, |event| event["origin_server_ts"] = 77.into());
    refused(&give(&world, &forged).await, "claims to be from this server");
    let signed_by_us = Rogue::over(&world.servers[0]);
    let mut event = object(own);
    event["origin_server_ts"] = 77.into();
    let signed = signed_by_us.sign(&event, own, &world.version).unwrap();
    refused(&give(&world, &signed).await, "claims to be from this server");
}

#[tokio::test]
async fn an_event_that_breaks_the_rules_is_kept_without_effect() {
    for version in VERSIONS {
        let mut world = two_servers(version).await;
        assert!(
            world.let_act(1, "ben", &join()).await && world.let_act(1, "ben", &text("hi")).await
        );
        world.settle().await;
        let state = folded(&*world.servers[0].log, &world.room_id).await.state;
        let message = last(&world);
        let coup = resigned(&world, &message, |event| {
            event.insert("state_key".into(), "".into());
            event["type"] = "m.room.power_levels".into();
            event["content"] = json!({ "users": { "@ben:two.example": 100 } });
        });
        let Received::Rejected { reason, .. } = give(&world, &coup).await else { panic!() };
        assert!(reason.contains("enough power"), "{reason}");
        assert_eq!(give(&world, &coup).await, Received::Known { status: EventStatus::Rejected });
        let after = folded(&*world.servers[0].log, &world.room_id).await;
        assert_eq!(after.state, state);
        assert!(after.rejected.contains(&coup.event_id));
        // An event that is authorised by it is rejected with it.
        let heir = resigned(&world, &message, |event| {
            let power = json!([coup.event_id.as_str()]);
            event["auth_events"].as_array_mut().unwrap().extend(power.as_array().unwrap().clone());
        });
        assert!(matches!(give(&world, &heir).await, Received::Rejected { .. }));
        // An event that only follows it is not.
        let next = resigned(&world, &message, |event| {
            event["prev_events"] = json!([coup.event_id.as_str()]);
        });
        assert!(matches!(give(&world, &next).await, Received::Accepted { .. }));
    }
}

type Alter = Box<dyn Fn(&mut Vec<serde_json::Value>)>;

#[tokio::test]
async fn auth_events_have_to_be_those_that_authorise() {
    let mut world = two_servers(RoomVersionId::V11).await;
    assert!(world.let_act(1, "ann", &text("hi")).await);
    let message = last(&world);
    assert!(matches!(give(&world, &message).await, Received::Accepted { .. }));
    let name = world.sent.iter().find(|sent| sent.json.get().contains("m.room.join_rules"));
    let unfit = name.unwrap().event_id.clone();
    let cases: [(Alter, &str); 4] = [
        (Box::new(move |auth| auth.push(unfit.as_str().into())), "unexpected auth event"),
        (Box::new(|auth| auth.push(auth[0].clone())), "duplicate auth event"),
        // The create event is the last auth event of a message of this version.
        (Box::new(|auth| drop(auth.pop())), "m.room.create"),
        (Box::new(Vec::clear), "m.room.create"),
    ];
    for (alter, why) in cases {
        let event = resigned(&world, &message, |event| {
            event["origin_server_ts"] = 99.into();
            alter(event["auth_events"].as_array_mut().unwrap());
        });
        let received = give(&world, &event).await;
        let Received::Rejected { reason, .. } = received else { panic!("{why}: {received:?}") };
        assert!(reason.contains(why), "{reason}");
    }
}

#[tokio::test]
async fn what_a_banned_user_sends_into_the_past_is_not_shown() {
    for version in VERSIONS {
        let mut world = two_servers(version).await;
        let user = world.servers[1].user("ben");
        let users = [(user.clone(), Some(50))].into();
        let change = PowerLevelsChange { users, ..PowerLevelsChange::default() };
        assert!(world.let_act(0, "ann", &RoomCommand::SetPowerLevels { change }).await);
        world.settle().await;
        assert!(world.let_act(1, "ben", &join()).await);
        world.settle().await;
        assert!(world.let_act(0, "ann", &RoomCommand::Ban { user, reason: None }).await);
        // His server has not received the ban.
        assert!(world.let_act(1, "ben", &topic("from the past")).await);
        let sent = last(&world);
        let before = folded(&*world.servers[0].log, &world.room_id).await;
        let Received::SoftFailed { reason, .. } = give(&world, &sent).await else { panic!() };
        assert!(reason.contains("join"), "{reason}");
        let after = folded(&*world.servers[0].log, &world.room_id).await;
        assert_eq!(after.state, before.state);
        assert!(after.leaves.contains(&sent.event_id));
        // No event made here follows it.
        assert!(world.let_act(0, "ann", &text("to the others")).await);
        assert!(!last(&world).json.get().contains(sent.event_id.as_str()));
        world.settle().await;
        let there = folded(&*world.servers[1].log, &world.room_id).await;
        let here = folded(&*world.servers[0].log, &world.room_id).await;
        assert_eq!((there.state, there.leaves), (here.state, here.leaves));
        assert!(there.soft_failed.is_empty());
    }
}

#[tokio::test]
async fn an_event_that_comes_twice_at_once_is_taken_once() {
    let mut world = two_servers(RoomVersionId::V12).await;
    assert!(world.let_act(1, "ann", &topic("once")).await);
    let sent = last(&world);
    let pdus = [sent.json.clone(), sent.json.clone()];
    let commands = &world.servers[0].commands;
    let receipts =
        commands.receive(&world.keys, &sent.origin, &sent.room_id, &pdus, Millis(1)).await;
    let received: Vec<_> = receipts.unwrap().into_iter().map(|receipt| receipt.received).collect();
    assert!(matches!(received[0], Received::Accepted { .. }), "{received:?}");
    assert_eq!(received[1], Received::Known { status: EventStatus::Accepted });
}

#[tokio::test]
async fn an_event_waits_for_those_that_it_names() {
    let mut world = two_servers(RoomVersionId::V12).await;
    for number in 0..5 {
        assert!(world.let_act(1, "ann", &text(&number.to_string())).await);
    }
    let sent = world.sent[world.sent.len() - 5..].to_vec();
    for (number, late) in sent.iter().enumerate().skip(1).rev() {
        let missing = vec![sent[number - 1].event_id.clone()];
        assert_eq!(give(&world, late).await, Received::Held { missing });
    }
    assert_eq!(world.servers[0].commands.held_back().events, 4);
    assert!(matches!(give(&world, &sent[0]).await, Received::Accepted { .. }));
    assert_eq!(world.servers[0].commands.held_back(), crate::HeldBack::default());
    for sent in &sent {
        let known = Received::Known { status: EventStatus::Accepted };
        assert_eq!(give(&world, sent).await, known);
    }
}

#[tokio::test]
async fn only_so_many_events_wait() {
    let mut world = two_servers(RoomVersionId::V12).await;
    assert!(world.let_act(1, "ann", &text("hi")).await);
    let message = last(&world);
    let unknown = |number: usize| OwnedEventId::try_from(format!("$unknown{number}")).unwrap();
    for number in 0..HELD_PER_ROOM_MAX + 3 {
        let waiting = resigned(&world, &message, |event| {
            event["prev_events"] = json!([unknown(number).as_str()]);
        });
        let missing = vec![unknown(number)];
        assert_eq!(give(&world, &waiting).await, Received::Held { missing });
    }
    let held = world.servers[0].commands.held_back();
    assert_eq!((held.events, held.dropped), (HELD_PER_ROOM_MAX, 3));
}
