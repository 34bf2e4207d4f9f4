//! Compares the output with that of ruma.

use proptest::prelude::*;
use ruma_common::{
    CanonicalJsonObject, EventId, RoomVersionId, owned_room_id, owned_user_id, serde::Base64,
};
use ruma_signatures::{content_hash, reference_hash};
use serde_json::Value;

use super::*;
use crate::{JsonObject, canonical::canonical};

/// Types whose redacted content keeps keys in some version, and types that keep none.
const KINDS: [&str; 14] = [
    "m.room.create",
    "m.room.member",
    "m.room.power_levels",
    "m.room.join_rules",
    "m.room.history_visibility",
    "m.room.redaction",
    "m.room.aliases",
    "m.room.server_acl",
    "m.room.message",
    "m.room.encrypted",
    "m.room.name",
    "m.reaction",
    "org.rookery.directory",
    "com.example.\"quoted\"\u{7}",
];

/// Keys that redaction keeps, among others.
const KEYS: [&str; 16] = [
    "membership",
    "creator",
    "room_version",
    "join_authorised_via_users_server",
    "third_party_invite",
    "signed",
    "join_rule",
    "allow",
    "ban",
    "invite",
    "users",
    "notifications",
    "history_visibility",
    "redacts",
    "aliases",
    "body",
];

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-((1_i64 << 53) - 1)..(1 << 53)).prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((key(), inner), 0..4)
                .prop_map(|entries| Value::Object(entries.into_iter().collect())),
        ]
    })
}

fn key() -> impl Strategy<Value = String> {
    prop_oneof![prop::sample::select(&KEYS[..]).prop_map(ToOwned::to_owned), any::<String>(),]
}

fn content() -> impl Strategy<Value = JsonObject> {
    prop::collection::vec((key(), value()), 0..6).prop_map(|entries| entries.into_iter().collect())
}

fn versions() -> impl Strategy<Value = RoomVersionId> {
    prop::sample::select(vec![RoomVersionId::V10, RoomVersionId::V11, RoomVersionId::V12])
}

proptest! {
    #[test]
    fn bytes_and_hashes_are_those_that_ruma_computes(
        kind in prop::sample::select(&KINDS[..]),
        state_key in prop::option::of("[a-z@:\"\\\\é]{0,8}"),
        content in content(),
        version in versions(),
        depth in 0..DEPTH,
        has_room in any::<bool>(),
        redacting in any::<bool>(),
    ) {
        let rules = version.rules().expect("a known version");
        let (room_id, sender) = (owned_room_id!("!r:a.example"), owned_user_id!("@é/a:a.example"));
        let parent = EventId::parse("$R47FVK8QPEbmjaxN6SZ2AvLbtpaYGUWcPdUXcmqNHiU").expect("an ID");
        let pdu = Unsealed {
            room_id: has_room.then_some(&*room_id),
            sender: &sender,
            kind,
            state_key: state_key.as_deref(),
            redacts: redacting.then_some(&*parent),
            content: canonical(&content).expect("canonical"),
            prev_events: vec![parent.clone()],
            auth_events: vec![parent.clone(), parent.clone()],
            depth,
            origin_server_ts: MilliSecondsSinceUnixEpoch(1_u32.into()),
        }
        .seal(&rules)
        .expect("small enough");

        let object: CanonicalJsonObject = serde_json::from_slice(&pdu.json).expect("JSON");
        let bytes = serde_json::to_vec(&object).expect("canonical JSON");
        prop_assert_eq!(&pdu.json[..], &bytes[..]);
        let hash: Base64<_, [u8; 32]> = content_hash(&object).expect("hashes");
        let claimed = object["hashes"].as_object().and_then(|hashes| hashes["sha256"].as_str());
        prop_assert_eq!(claimed, Some(&*hash.encode()));
        let reference = reference_hash(&object, &rules).expect("hashes");
        prop_assert_eq!(pdu.event_id.as_str(), format!("${reference}"));
        let inner: Value = serde_json::from_str(pdu.content.get()).expect("JSON");
        prop_assert_eq!(inner, Value::Object(content));
    }
}

const DEPTH: u64 = crate::limits::DEPTH_MAX;

#[test]
fn an_event_that_fills_the_limit_is_made_and_one_byte_more_is_refused() {
    let rules = RoomVersionId::V12.rules().expect("a known version");
    let (room_id, sender) = (owned_room_id!("!r:a.example"), owned_user_id!("@a:a.example"));
    let seal = |length: usize| {
        let content = format!("{{\"body\":\"{}\"}}", "x".repeat(length));
        let event = Unsealed {
            room_id: Some(&room_id),
            sender: &sender,
            kind: "m.room.message",
            state_key: None,
            redacts: None,
            content,
            prev_events: Vec::new(),
            auth_events: Vec::new(),
            depth: 1,
            origin_server_ts: MilliSecondsSinceUnixEpoch(1_u32.into()),
        };
        event.seal(&rules)
    };
    let rest = seal(0).expect("small").json.len();
    let most = EVENT_BYTES_MAX - rest;
    assert_eq!(seal(most).expect("fits").json.len(), EVENT_BYTES_MAX);
    let (what, bytes) = ("the event", EVENT_BYTES_MAX + 1);
    let too_large = SealError::TooLarge { what, bytes, max: EVENT_BYTES_MAX };
    assert_eq!(seal(most + 1).expect_err("too large"), too_large);
}
