//! A server that has a key and members in the room, and breaks the rules.

use std::collections::BTreeMap;

use base64::{Engine, engine::general_purpose::STANDARD_NO_PAD};
use rookery_domain::{
    Incoming, JsonObject, OwnedEventId, Pdu, RoomCommand, RoomId, RoomVersionId, sign,
};
use serde_json::{Value, json, value::RawValue};
use sha2::{Digest, Sha256};

use super::{Rng, Sent, Server};

/// Its users in the room. None of them has any power.
const USERS: [&str; 2] = ["eve", "mal"];

/// The rogue.
pub struct Rogue {
    /// The honest server that it was before.
    pub server: Server,
    /// Events from which it makes others.
    templates: Vec<JsonObject>,
    /// The events that it forged.
    forged: Vec<OwnedEventId>,
}

impl Rogue {
    pub(super) fn new(name: &str) -> Self {
        let server = Server::in_memory(name);
        Self { server, templates: Vec::new(), forged: Vec::new() }
    }

    /// A rogue with the name and the key of an honest server.
    #[must_use]
    pub fn over(server: &Server) -> Self {
        Self::new(server.name.as_str())
    }

    /// Lets its users join and send messages, by the rules.
    pub(super) async fn enter(
        &mut self,
        room_id: &RoomId,
        version: &RoomVersionId,
        now: u64,
    ) -> Vec<Sent> {
        for user in USERS {
            let join = RoomCommand::Join { reason: None, member_of: None };
            self.server.act(user, room_id, &join, now).await.expect("the room is public");
            let (event_type, content) = ("test.hello".to_owned(), JsonObject::new());
            let hello = RoomCommand::SendEvent { event_type, content };
            self.server.act(user, room_id, &hello, now).await.expect("members may speak");
        }
        let sent = self.server.outbox(room_id, version).await;
        let messages = sent.iter().filter(|sent| sent.json.get().contains("test.hello"));
        self.templates = messages.filter_map(|sent| object(&sent.json)).collect();
        sent
    }

    /// An event that is properly signed and follows arbitrary events.
    pub(super) fn forge(
        &mut self,
        sent: &[Sent],
        version: &RoomVersionId,
        rng: &mut Rng,
        number: u64,
    ) -> Option<Sent> {
        let mut event = rng.pick(&self.templates).clone();
        let victim = format!("@ann:{}", sent.first()?.origin);
        let sender = event.get("sender")?.as_str()?.to_owned();
        match rng.below(6) {
            0 => {
                let topic = format!("owned {number}");
                set(&mut event, "m.room.topic", "", &json!({ "topic": topic }));
            }
            1 => set(&mut event, "m.room.power_levels", "", &json!({ "users": { sender: 100 } })),
            2 => set(&mut event, "m.room.member", &victim, &json!({ "membership": "ban" })),
            3 => set(&mut event, "test.state", "1", &json!({ "number": number })),
            _ => {
                event.insert("content".to_owned(), json!({ "number": number }));
            }
        }
        if rng.one_in(8) {
            event.insert("depth".to_owned(), ((1_u64 << 53) - 1).into());
        }
        if !rng.one_in(3) {
            let known = sent.len();
            let mut follows: Vec<_> =
                (0..=rng.below(2)).map(|_| sent[rng.below(known)].event_id.clone()).collect();
            if let Some(own) = self.forged.last().filter(|_| rng.one_in(3)) {
                follows.push(own.clone());
            }
            follows.sort_unstable();
            follows.dedup();
            event.insert("prev_events".to_owned(), json!(follows));
        }
        event.insert("origin_server_ts".to_owned(), (1_000 + rng.below(2_000) as u64).into());
        let made = self.sign(&event, sent.first()?, version)?;
        self.forged.push(made.event_id.clone());
        Some(made)
    }

    /// Signs an event unchanged.
    #[must_use]
    pub fn sign(&self, event: &JsonObject, like: &Sent, version: &RoomVersionId) -> Option<Sent> {
        signed(&self.server, event, &like.room_id, version)
    }
}

/// The event with the right content hash and this server's signature, whatever its content is.
pub(super) fn signed(
    server: &Server,
    event: &JsonObject,
    room_id: &RoomId,
    version: &RoomVersionId,
) -> Option<Sent> {
    let mut event = event.clone();
    event.remove("signatures");
    event.remove("hashes");
    let hash = STANDARD_NO_PAD.encode(Sha256::digest(canonical(&event)));
    event.insert("hashes".to_owned(), json!({ "sha256": hash }));
    let json = canonical(&event);
    let placeholder = OwnedEventId::try_from("$unsigned").ok()?;
    let pdu = Pdu::parse(placeholder, json.into()).ok()?;
    let json = sign(&pdu, &server.key, &server.name, version).ok()?;
    let raw = RawValue::from_string(json.clone()).ok()?;
    let event_id = Incoming::read(&raw, version).ok()?.event_id().to_owned();
    Some(server.sent(room_id, event_id, json))
}

/// Canonical JSON, whatever order the maps of this build keep.
fn canonical(event: &JsonObject) -> Vec<u8> {
    fn sorted(value: &Value) -> Value {
        match value {
            Value::Array(items) => items.iter().map(sorted).collect(),
            Value::Object(object) => {
                let entries: BTreeMap<_, _> = object.iter().collect();
                entries.into_iter().map(|(key, value)| (key.clone(), sorted(value))).collect()
            }
            plain => plain.clone(),
        }
    }
    sorted(&Value::Object(event.clone())).to_string().into_bytes()
}

fn object(json: &RawValue) -> Option<JsonObject> {
    serde_json::from_str(json.get()).ok()
}

fn set(event: &mut JsonObject, kind: &str, state_key: &str, content: &Value) {
    event.insert("type".to_owned(), kind.into());
    event.insert("state_key".to_owned(), state_key.into());
    event.insert("content".to_owned(), content.clone());
}
