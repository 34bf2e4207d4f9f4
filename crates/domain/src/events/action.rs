//! Numbered actions: the data that the log keeps about them beside their events.
//!
//! **Invariant:** the fingerprint of a command never changes, because the server recognises retries
//! by it even years later. A golden file holds the fingerprint of each command. A new field of a
//! command is left out of the fingerprint while it has the value that older commands imply.

use std::fmt;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use ruma_common::OwnedRoomId;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use serde_json::Value;

/// Identifies the request of an action, to tell a retry from another request with the same number.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Fingerprint([u8; 16]);

impl Fingerprint {
    /// The fingerprint of a request. It covers `name`, so equal requests of two actions have
    /// different fingerprints.
    ///
    /// # Panics
    /// If `asked` does not serialise to JSON. Commands do.
    #[must_use]
    pub fn of(name: &[u8], asked: &impl Serialize) -> Self {
        let asked = serde_json::to_value(asked).expect("commands serialise");
        let mut hasher = blake3::Hasher::new();
        text(&mut hasher, name);
        feed(&mut hasher, &asked);
        let mut bytes = [0; 16];
        hasher.finalize_xof().fill(&mut bytes);
        Self(bytes)
    }
}

/// Hashes a value with its borders, so that no two values hash the same bytes. Keys of objects are
/// sorted.
fn feed(hasher: &mut blake3::Hasher, value: &Value) {
    match value {
        Value::Null => tagged(hasher, b'n', 0),
        Value::Bool(value) => tagged(hasher, b'b', u64::from(*value)),
        Value::Number(number) => {
            tagged(hasher, b'#', 0);
            text(hasher, number.to_string().as_bytes());
        }
        Value::String(string) => {
            tagged(hasher, b's', 0);
            text(hasher, string.as_bytes());
        }
        Value::Array(items) => {
            tagged(hasher, b'a', items.len() as u64);
            for item in items {
                feed(hasher, item);
            }
        }
        Value::Object(object) => {
            tagged(hasher, b'o', object.len() as u64);
            let mut entries: Vec<_> = object.iter().collect();
            entries.sort_unstable_by_key(|(key, _)| *key);
            for (key, value) in entries {
                text(hasher, key.as_bytes());
                feed(hasher, value);
            }
        }
    }
}

fn tagged(hasher: &mut blake3::Hasher, tag: u8, number: u64) {
    hasher.update(&[tag]);
    hasher.update(&number.to_le_bytes());
}

fn text(hasher: &mut blake3::Hasher, text: &[u8]) {
    hasher.update(&(text.len() as u64).to_le_bytes());
    hasher.update(text);
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&URL_SAFE_NO_PAD.encode(self.0))
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Fingerprint {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Fingerprint {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(D::Error::custom)?;
        bytes.try_into().map(Self).map_err(|_| D::Error::custom("a fingerprint has 16 bytes"))
    }
}

/// The outcome of an action, where its events do not show it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "result", rename_all = "snake_case")]
pub enum ActionOutcome {
    /// The action made the events before this note in the commit.
    Made,
    /// The action changed nothing, because its effect held already.
    Held {
        /// The room of the action.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        room_id: Option<OwnedRoomId>,
    },
    /// A rule refused it.
    Refused {
        /// The code of the rule.
        code: String,
        /// The message that the user received.
        message: String,
    },
}
