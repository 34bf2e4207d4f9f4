//! Redactions: the power that they need, and the redacted form of an event.

use std::{collections::BTreeMap, sync::Arc};

use rookery_domain::{
    Context, Envelope, Erased, KnownEvent, Pdu, PowerLevelsChange, Rejection, RoomCommand,
    RoomEvent, RoomVersionId, ServerName, SigningKey, sign,
};
use ruma_common::{CanonicalJsonObject, serde::Base64};
use ruma_signatures::{PublicKeyMap, PublicKeySet, Verified, reference_hash, verify_event};
use serde_json::{Value, json};

use crate::support::{ALICE, BOB, CAROL, Given, accepted, context, public, public_of, say, user};

const VERSIONS: [RoomVersionId; 3] = [RoomVersionId::V10, RoomVersionId::V11, RoomVersionId::V12];

fn redact(event: &Pdu, reason: Option<&str>) -> RoomCommand {
    RoomCommand::Redact { event_id: event.event_id.clone(), reason: reason.map(Into::into) }
}

fn topic(topic: &str) -> RoomCommand {
    RoomCommand::SetTopic { topic: topic.to_owned() }
}

/// A room of Alice's with Bob and Carol, and a message of Bob's.
fn bob_has_said(version: RoomVersionId) -> (Given, Arc<Pdu>) {
    let (said, given) =
        public_of(version).joined(&[BOB, CAROL]).when(BOB, say("secret")).then_one();
    (given, said)
}

#[test]
fn a_redaction_names_its_event_where_the_room_version_wants_it() {
    for version in VERSIONS {
        let (given, said) = bob_has_said(version.clone());
        let (redaction, given) = given.when(BOB, redact(&said, Some("a slip"))).then_one();
        let id = said.event_id.as_str();
        let beside = redaction.redacts.as_ref().map(|id| id.as_str());
        let content: Value = redaction.content_as().unwrap();
        if version == RoomVersionId::V10 {
            assert_eq!((beside, content), (Some(id), json!({ "reason": "a slip" })));
        } else {
            assert_eq!((beside, content), (None, json!({ "reason": "a slip", "redacts": id })));
        }
        let read = Pdu::parse(redaction.event_id.clone(), redaction.json.clone()).unwrap();
        assert_eq!(given.room.redaction_target(&read), Some(said.event_id.clone()));
        assert_eq!(given.room.redaction_target(&said), None);
    }
}

#[test]
fn what_one_has_said_one_may_take_back() {
    for version in VERSIONS {
        let (given, said) = bob_has_said(version);
        given.when(BOB, redact(&said, None)).then_one();
    }
}

#[test]
fn what_others_have_said_takes_power_to_take_back() {
    for version in VERSIONS {
        let (given, said) = bob_has_said(version);
        let refused = given.clone().when(CAROL, redact(&said, None));
        refused.then_code("INSUFFICIENT_POWER");
        given.clone().when(ALICE, redact(&said, None)).then_one();
        let change = PowerLevelsChange {
            users: [(user(CAROL).to_owned(), Some(50))].into(),
            ..Default::default()
        };
        let given = given.and(ALICE, RoomCommand::SetPowerLevels { change });
        given.when(CAROL, redact(&said, None)).then_one();
    }
}

#[test]
fn only_members_redact() {
    let (given, said) = bob_has_said(RoomVersionId::V12);
    let left = given.and(BOB, RoomCommand::Leave { reason: None, successor: None });
    left.when(BOB, redact(&said, None)).then_err(&Rejection::NotAMember);
}

#[test]
fn an_event_that_is_not_there_or_hidden_or_elsewhere_cannot_be_redacted() {
    let (given, said) = bob_has_said(RoomVersionId::V12);
    let (_, elsewhere) = bob_has_said(RoomVersionId::V11);
    let no_such_event = |event: &Pdu| Rejection::NoSuchEvent(event.event_id.clone());
    let command = redact(&said, None);
    given.clone().when_knowing(ALICE, &command, &[]).then_err(&no_such_event(&said));
    let hidden = [KnownEvent { visible: false, ..Given::known(&said) }];
    given.clone().when_knowing(ALICE, &command, &hidden).then_err(&no_such_event(&said));
    let known = [Given::known(&elsewhere)];
    let command = redact(&elsewhere, None);
    given.when_knowing(ALICE, &command, &known).then_err(&no_such_event(&elsewhere));
}

#[test]
fn redacting_again_changes_nothing() {
    let (given, said) = bob_has_said(RoomVersionId::V12);
    let redacted = [KnownEvent { redacted: true, ..Given::known(&said) }];
    given.when_knowing(BOB, redact(&said, None), &redacted).then_nothing();
}

#[test]
fn a_redaction_erases_what_the_caller_has_found() {
    let (_, said) = bob_has_said(RoomVersionId::V12);
    let erases = vec![Erased::new(&said, 7, 0), Erased::new(&said, 9, 0)];
    let known = [KnownEvent { erases: erases.clone(), ..Given::known(&said) }];
    let context = Context { events: &known, ..context(BOB, 1) };
    assert_eq!(context.erased_by(&redact(&said, None)), erases);
    assert_eq!(context.erased_by(&say("x")), []);
}

#[test]
fn a_room_keeps_what_it_is_founded_on() {
    for version in VERSIONS {
        let given = public_of(version);
        let create = given.events[0].clone();
        given.clone().when(ALICE, redact(&create, None)).then_code("NOT_REDACTABLE");
        let encryption = RoomCommand::SetState {
            event_type: "m.room.encryption".into(),
            state_key: String::new(),
            content: json!({ "algorithm": "m.megolm.v1" }).as_object().unwrap().clone(),
        };
        let (encrypted, given) = given.when(ALICE, encryption).then_one();
        given.when(ALICE, redact(&encrypted, None)).then_code("NOT_REDACTABLE");
    }
}

#[test]
fn a_reason_has_a_limit() {
    let (given, said) = bob_has_said(RoomVersionId::V12);
    given.when(BOB, redact(&said, Some(&"x".repeat(5_000)))).then_code("TOO_LARGE");
}

#[test]
fn id_and_signature_hold_without_the_content() {
    let server = <&ServerName>::try_from("rook.example").unwrap();
    let key = SigningKey::from_seed([7; 32], "a_1").unwrap();
    let public = Base64::new(key.public_key().to_vec());
    let keys: PublicKeySet = BTreeMap::from([("ed25519:a_1".to_owned(), public)]);
    let keys: PublicKeyMap = BTreeMap::from([("rook.example".to_owned(), keys)]);
    for version in VERSIONS {
        let rules = version.rules().unwrap();
        let (given, said) = bob_has_said(version.clone());
        let given = given.and(ALICE, topic("secret"));
        let (redaction, given) = given.when(BOB, redact(&said, Some("secret"))).then_one();
        for event in given.events.iter().chain([&redaction]) {
            let redacted = event.redacted(&version).unwrap();
            assert_eq!(redacted.event_id, event.event_id);
            assert_eq!(redacted.depth, event.depth);
            assert!(!String::from_utf8_lossy(&redacted.json).contains("secret"));
            assert!(redacted.json.len() <= event.json.len());
            let hash = reference_hash(&serde_json::from_slice(&redacted.json).unwrap(), &rules);
            assert_eq!(event.event_id.as_str(), format!("${}", hash.unwrap()));
            event.check_id(&version).unwrap();
            redacted.check_id(&version).unwrap();
            event.check_content(&version).unwrap();
            redacted.check_content(&version).unwrap();
            assert_eq!(redacted.redacted(&version).unwrap().json, redacted.json);
            let signed = sign(&redacted, &key, server, &version).unwrap();
            let object: CanonicalJsonObject = serde_json::from_str(&signed).unwrap();
            verify_event(&keys, &object, &rules).unwrap();
            let whole = sign(event, &key, server, &version).unwrap();
            let whole: CanonicalJsonObject = serde_json::from_str(&whole).unwrap();
            assert_eq!(whole["signatures"], object["signatures"]);
        }
        let signed = sign(&said.redacted(&version).unwrap(), &key, server, &version).unwrap();
        let object: CanonicalJsonObject = serde_json::from_str(&signed).unwrap();
        assert_eq!(verify_event(&keys, &object, &rules).unwrap(), Verified::Signatures);
    }
}

#[test]
fn content_that_somebody_has_changed_is_not_what_the_id_says() {
    for version in VERSIONS {
        let (_, said) = bob_has_said(version.clone());
        let text = String::from_utf8(said.json.to_vec()).unwrap();
        let change = |text: String| Pdu::parse(said.event_id.clone(), text.into()).unwrap();
        let other = change(text.replace("\"body\":\"", "\"body\":\"not "));
        assert_ne!(other.json, said.json);
        other.check_id(&version).unwrap();
        let found = other.check_content(&version).unwrap_err().to_string();
        assert!(found.contains("other content"), "{found}");
        let older = change(text.replace("\"depth\":", "\"depth\":1"));
        let found = older.check_content(&version).unwrap_err().to_string();
        assert!(found.contains("does not match its content"), "{found}");
        // A partly redacted event is neither whole nor redacted.
        let half = change(text.replace("\"body\"", "\"other\""));
        half.check_content(&version).unwrap_err();
    }
}

#[test]
fn an_event_that_its_id_does_not_cover_is_not_redacted() {
    let (_, said) = bob_has_said(RoomVersionId::V12);
    let other = public().events[0].event_id.clone();
    let forged = Pdu::parse(other, said.json.clone()).unwrap();
    assert!(forged.check_id(&RoomVersionId::V12).is_err());
    assert!(said.redacted(&"org.example.unknown".try_into().unwrap()).is_err());
}

#[test]
fn the_room_forgets_a_topic_but_not_who_is_in_it() {
    for version in VERSIONS {
        let (set, given) =
            public_of(version).joined(&[BOB]).when(ALICE, topic("secret")).then_one();
        let member = given.room.state("m.room.member", BOB).unwrap().clone();
        let (redaction, mut given) = given.when(ALICE, redact(&set, None)).then_one();
        let erases = vec![Erased::new(&set, 7, 0), Erased::new(&member, 8, 0)];
        let envelope = Envelope { erases, ..Envelope::local(None, None) };
        given.room.evolve(&RoomEvent::new(envelope, redaction));
        assert_eq!(given.room.topic(), None);
        let left: Value = given.room.state("m.room.member", BOB).unwrap().content_as().unwrap();
        assert_eq!(left, json!({ "membership": "join" }));
        given.clone().when(BOB, say("still here")).then_one();
        // The same topic counts as a new one now.
        given.when(ALICE, topic("secret")).then_one();
    }
}

#[test]
fn power_levels_hold_without_what_redaction_takes_from_them() {
    for version in VERSIONS {
        let given = public_of(version).joined(&[BOB]);
        let levels = given.room.state("m.room.power_levels", "").unwrap().clone();
        let (redaction, mut given) = given.when(ALICE, redact(&levels, None)).then_one();
        let erases = vec![Erased::new(&levels, 7, 0)];
        let envelope = Envelope { erases, ..Envelope::local(None, None) };
        given.room.evolve(&RoomEvent::new(envelope, redaction));
        given.clone().when(ALICE, topic("still mine")).then_one();
        given.when(BOB, topic("not yours")).then_code("INSUFFICIENT_POWER");
    }
}

#[test]
fn a_state_event_that_no_longer_holds_its_slot_leaves_the_state_alone() {
    let (old, given) = public().when(ALICE, topic("secret")).then_one();
    let given = given.and(ALICE, topic("open"));
    let (redaction, mut given) = given.when(ALICE, redact(&old, None)).then_one();
    let envelope =
        Envelope { erases: vec![Erased::new(&old, 7, 0)], ..Envelope::local(None, None) };
    given.room.evolve(&RoomEvent::new(envelope, redaction));
    assert_eq!(given.room.topic().as_deref(), Some("open"));
}

/// The same event, sent by another user.
fn sent_by(event: &Pdu, sender: &str) -> Pdu {
    let mut json: Value = serde_json::from_slice(&event.json).unwrap();
    json["sender"] = sender.into();
    Pdu::parse(event.event_id.clone(), serde_json::to_vec(&json).unwrap().into()).unwrap()
}

#[test]
fn a_redaction_from_elsewhere_applies_with_power_or_to_what_its_server_sent() {
    for version in VERSIONS {
        let (given, said) = bob_has_said(version);
        let (redaction, given) = given.when(BOB, redact(&said, None)).then_one();
        let theirs = sent_by(&said, "@dan:else.example");
        for (redactor, target, applies) in [
            (BOB, &*said, true),
            (ALICE, &theirs, true),
            (BOB, &theirs, false),
            ("@eve:else.example", &theirs, true),
            ("@eve:else.example", &*said, false),
        ] {
            let redaction = sent_by(&redaction, redactor);
            assert_eq!(given.room.redaction_applies(&redaction, target), applies, "{redactor}");
        }
        let create = &given.events[0];
        assert!(!given.room.redaction_applies(&redaction, create), "it names another event");
        let (of_create, given) = {
            let mut given = given.clone();
            given.room.evolve(&accepted(&redaction));
            let mut topic = (**create).clone();
            topic.kind = "m.room.topic".into();
            let known = [Given::known(&topic.into())];
            given.when_knowing(ALICE, redact(create, None), &known).then_one()
        };
        assert!(!given.room.redaction_applies(&of_create, create), "create events stay");
    }
}
