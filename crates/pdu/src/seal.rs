//! Turns the draft of an event into a PDU: canonical JSON, content hash, reference hash.
//!
//! **Invariant:** hashes and bytes equal those of `ruma_signatures` for the same event (a property
//! test compares them). This code is faster: it writes each byte once and hashes it twice.

use base64::{
    Engine,
    engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD},
};
use ruma_common::{
    CanonicalJsonObject, EventId, MilliSecondsSinceUnixEpoch, OwnedEventId, RoomId, UserId,
    canonical_json::redact_content_in_place, room_version_rules::RoomVersionRules,
};
use ruma_events::TimelineEventType;
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};

use crate::{
    Pdu,
    canonical::{write_integer, write_string},
    limits::{EVENT_BYTES_MAX, ID_BYTES_MAX},
};

/// The draft cannot become an event.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// A part of it, or all of it, is longer than an event may be.
    #[error("{what} has {bytes} bytes, and the maximum is {max}")]
    TooLarge {
        /// The part.
        what: &'static str,
        /// Its length in bytes.
        bytes: usize,
        /// The greatest length in bytes.
        max: usize,
    },
    /// The content cannot be canonical JSON.
    #[error("the content is not valid: {0}")]
    InvalidContent(String),
}

/// An event without its hashes.
#[derive(Clone, Debug)]
pub struct Unsealed<'a> {
    /// The room; `None` for the create event of a room that is named after it.
    pub room_id: Option<&'a RoomId>,
    /// The sender.
    pub sender: &'a UserId,
    /// The event type.
    pub kind: &'a str,
    /// Present on state events.
    pub state_key: Option<&'a str>,
    /// The event to redact, in room versions that name it beside the content.
    pub redacts: Option<&'a EventId>,
    /// The content, as canonical JSON ([`canonical`](crate::canonical())).
    pub content: String,
    /// The events that it follows.
    pub prev_events: Vec<OwnedEventId>,
    /// The state events that authorise it.
    pub auth_events: Vec<OwnedEventId>,
    /// One more than the deepest event before it.
    pub depth: u64,
    /// The time, in milliseconds since 1970.
    pub origin_server_ts: MilliSecondsSinceUnixEpoch,
}

impl Unsealed<'_> {
    /// Hashes the event and gives it its ID.
    ///
    /// # Errors
    /// [`SealError`] if it is too large, or its content is not JSON.
    ///
    /// # Panics
    /// Never: a dollar sign and a hash make an event ID.
    pub fn seal(self, rules: &RoomVersionRules) -> Result<Pdu, SealError> {
        check_length("the event type", self.kind.len(), ID_BYTES_MAX)?;
        check_length("the state key", self.state_key.unwrap_or("").len(), ID_BYTES_MAX)?;
        let mut head = Vec::with_capacity(self.content.len() + 768);
        head.extend_from_slice(b"{\"auth_events\":");
        write_ids(&mut head, &self.auth_events);
        head.extend_from_slice(b",\"content\":");
        let depth = format!(",\"depth\":{}", self.depth);
        let tail = self.tail(self.redacts);

        let hash = hash(&[&head, self.content.as_bytes(), depth.as_bytes(), &tail]);
        let hashes = format!(",\"hashes\":{{\"sha256\":\"{}\"}}", STANDARD_NO_PAD.encode(hash));
        let redacted = redacted_content(self.kind, self.state_key, &self.content, rules)?;
        let rest = [depth.as_bytes(), hashes.as_bytes(), &tail];
        // Redaction removes `redacts` where it stands beside the content.
        let bare = self.redacts.map(|_| self.tail(None));
        let bare = bare.as_deref().unwrap_or(&tail);
        let reference = self::hash(&[&head, redacted.as_bytes(), rest[0], rest[1], bare]);

        let mut json = head;
        json.extend_from_slice(self.content.as_bytes());
        for part in rest {
            json.extend_from_slice(part);
        }
        check_length("the event", json.len(), EVENT_BYTES_MAX)?;
        let event_id = OwnedEventId::try_from(format!("${}", URL_SAFE_NO_PAD.encode(reference)))
            .expect("a dollar sign and a hash make an event ID");
        Ok(self.into_pdu(event_id, json))
    }

    /// The part of the JSON after the hashes.
    fn tail(&self, redacts: Option<&EventId>) -> Vec<u8> {
        let mut tail = Vec::with_capacity(384);
        tail.extend_from_slice(b",\"origin_server_ts\":");
        write_integer(&mut tail, u64::from(self.origin_server_ts.0));
        tail.extend_from_slice(b",\"prev_events\":");
        write_ids(&mut tail, &self.prev_events);
        let fields = [
            ("redacts", redacts.map(EventId::as_str)),
            ("room_id", self.room_id.map(RoomId::as_str)),
            ("sender", Some(self.sender.as_str())),
            ("state_key", self.state_key),
            ("type", Some(self.kind)),
        ];
        for (name, value) in fields {
            if let Some(value) = value {
                tail.push(b',');
                write_string(&mut tail, name);
                tail.push(b':');
                write_string(&mut tail, value);
            }
        }
        tail.push(b'}');
        tail
    }

    fn into_pdu(self, event_id: OwnedEventId, json: Vec<u8>) -> Pdu {
        let room_id = match self.room_id {
            Some(room_id) => room_id.to_owned(),
            None => RoomId::new_v2(event_id.as_str().trim_start_matches('$'))
                .expect("an exclamation mark and a hash make a room ID"),
        };
        Pdu {
            names_room: self.room_id.is_none(),
            event_id,
            room_id,
            sender: self.sender.to_owned(),
            kind: TimelineEventType::from(self.kind),
            state_key: self.state_key.map(ToOwned::to_owned),
            origin_server_ts: self.origin_server_ts,
            depth: self.depth,
            prev_events: self.prev_events,
            auth_events: self.auth_events,
            redacts: self.redacts.map(ToOwned::to_owned),
            content: RawValue::from_string(self.content).expect("canonical JSON is JSON"),
            json: json.into(),
        }
    }
}

fn check_length(what: &'static str, bytes: usize, max: usize) -> Result<(), SealError> {
    if bytes > max { Err(SealError::TooLarge { what, bytes, max }) } else { Ok(()) }
}

/// The redacted form of the content, which the event ID covers.
fn redacted_content(
    kind: &str,
    state_key: Option<&str>,
    content: &str,
    rules: &RoomVersionRules,
) -> Result<String, SealError> {
    // Redaction keeps keys of some `m.room.` types, in state events and in other events.
    if state_key.is_none() && (kind == "m.room.message" || !kind.starts_with("m.room.")) {
        return Ok("{}".to_owned());
    }
    let mut content: CanonicalJsonObject = serde_json::from_str(content)
        .map_err(|error| SealError::InvalidContent(error.to_string()))?;
    redact_content_in_place(&mut content, &rules.redaction, kind);
    Ok(serde_json::to_string(&content).expect("canonical JSON always serialises"))
}

fn hash(parts: &[&[u8]]) -> [u8; 32] {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update(part);
    }
    hasher.finalize().into()
}

fn write_ids(out: &mut Vec<u8>, ids: &[OwnedEventId]) {
    out.push(b'[');
    for (index, id) in ids.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        write_string(out, id.as_str());
    }
    out.push(b']');
}

#[cfg(test)]
mod tests;
