//! Events that no honest server makes, hashed and signed by ruma.

use rookery_domain::{OwnedEventId, OwnedRoomId, SigningKey};
use ruma_common::{
    CanonicalJsonObject, CanonicalJsonValue, RoomVersionId, canonical_json::redact,
    room_version_rules::RoomVersionRules,
};
use serde_json::{Value, json};

use super::super::{
    peer::Peer,
    world::{Certificate, Here},
};

/// A peer whose user is a member of a public room here.
pub(super) struct Forge {
    pub(super) here: Here,
    pub(super) peer: Peer,
    pub(super) room: OwnedRoomId,
    /// The answer to the join, with the ID of the join as `id`.
    pub(super) joined: Value,
    pub(super) join: OwnedEventId,
    rules: RoomVersionRules,
    transactions: std::sync::atomic::AtomicUsize,
}

impl Forge {
    pub(super) async fn open() -> Self {
        let certificate = std::sync::Arc::new(Certificate::new());
        let here = Here::open(&certificate).await;
        let peer = Peer::open(&certificate).await;
        let room = here.public_room().await;
        let (join, mut joined) = peer.join(&here, &room).await;
        joined["id"] = json!(join);
        let rules = RoomVersionId::V12.rules().unwrap();
        Self { here, peer, room, joined, join, rules, transactions: 0.into() }
    }

    /// A message after the join, with these fields in place of its own. It is hashed and signed by the peer.
    pub(super) fn event(&self, change: Value) -> (OwnedEventId, Value) {
        self.signed_by(change, &self.peer.key)
    }

    /// The same, signed by another key under the name of the peer.
    pub(super) fn signed_by(&self, change: Value, key: &SigningKey) -> (OwnedEventId, Value) {
        let mut event = self.peer.message(&self.joined, &self.join, "hello");
        let fields = event.as_object_mut().unwrap();
        for field in ["hashes", "signatures", "unsigned"] {
            fields.remove(field);
        }
        let Value::Object(change) = change else { panic!("the change is an object") };
        fields.extend(change);
        let mut object: CanonicalJsonObject = serde_json::from_value(event).unwrap();
        let hash = ruma_signatures::content_hash(&object).unwrap().encode();
        object.insert(
            "hashes".to_owned(),
            CanonicalJsonValue::try_from(json!({ "sha256": hash })).unwrap(),
        );
        let mut redacted = redact(object.clone(), &self.rules.redaction, None).unwrap();
        key.sign_object(&self.peer.name, &mut redacted).unwrap();
        object.insert("signatures".to_owned(), redacted.remove("signatures").unwrap());
        let hash = ruma_signatures::reference_hash(&object, &self.rules).unwrap();
        (format!("${hash}").try_into().unwrap(), serde_json::to_value(&object).unwrap())
    }

    /// Sends one event in a transaction of its own, and returns its outcome.
    pub(super) async fn send(&self, event: &Value) -> Value {
        let number = self.transactions.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let path = format!("/_matrix/federation/v1/send/forged{number}");
        let body = json!({ "pdus": [event], "edus": [] });
        let (status, mut answer) = self.peer.ask(&self.here, "PUT", &path, Some(body)).await;
        assert_eq!(status, 200, "{answer}");
        answer["pdus"].take()
    }

    /// The IDs of the events that authorise the join, and the join itself.
    pub(super) fn auth(&self) -> Vec<String> {
        let event = self.peer.message(&self.joined, &self.join, "hello");
        serde_json::from_value(event["auth_events"].clone()).unwrap()
    }

    /// The ID of the event of the state with this type.
    pub(super) fn id_of(&self, kind: &str) -> String {
        let state = self.joined["state"].as_array().unwrap();
        let event = state.iter().find(|event| event["type"] == kind).unwrap();
        let object: CanonicalJsonObject = serde_json::from_value(event.clone()).unwrap();
        format!("${}", ruma_signatures::reference_hash(&object, &self.rules).unwrap())
    }
}
