//! The keys of this server, as other servers get them.
//!
//! **Invariant:** the answer is signed by the current key. An old key keeps its public half and its end for ever, so
//! that events of its time can be verified.

use std::sync::Arc;

use base64::{Engine as _, engine::general_purpose::STANDARD_NO_PAD};
use rookery_domain::{OwnedServerName, SigningKey};
use ruma_common::CanonicalJsonObject;
use serde_json::json;

/// How long other servers may use the answer before they ask again, in milliseconds: a day.
const VALID_MILLIS: u64 = 24 * 60 * 60 * 1_000;

/// A key that this server used in the past.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OldKey {
    /// Its algorithm and name, such as `ed25519:1`.
    pub key_id: String,
    /// The public half.
    pub key: [u8; 32],
    /// When the server stopped using it, in milliseconds since 1970.
    pub expired: u64,
}

impl OldKey {
    /// Reads `ed25519:NAME BASE64`; `None` if it has another form.
    #[must_use]
    pub fn parse(public_half: &str, expired: u64) -> Option<Self> {
        let (key_id, key) = public_half.split_once(' ')?;
        let key = STANDARD_NO_PAD.decode(key).ok()?.try_into().ok()?;
        Some(Self { key_id: key_id.to_owned(), key, expired })
    }
}

/// The keys of this server.
#[derive(Clone, Debug)]
pub struct OwnKeys {
    /// The name of this server.
    pub server_name: OwnedServerName,
    /// The key that signs now.
    pub current: Arc<SigningKey>,
    /// The keys that signed in the past.
    pub old: Vec<OldKey>,
}

impl OwnKeys {
    /// The ID of the key that signs now.
    #[must_use]
    pub fn key_id(&self) -> String {
        format!("ed25519:{}", self.current.name())
    }

    /// The public half of a key of this server, if it was in use at a time.
    #[must_use]
    pub fn key_at(&self, key_id: &str, at: u64) -> Option<[u8; 32]> {
        if key_id == self.key_id() {
            return Some(self.current.public_key());
        }
        let old = self.old.iter().find(|old| old.key_id == key_id && at <= old.expired);
        old.map(|old| old.key)
    }

    /// The answer to `GET /_matrix/key/v2/server`.
    ///
    /// # Errors
    /// If it cannot be signed.
    pub fn published(&self, now: u64) -> Result<String, String> {
        let old: serde_json::Map<_, _> = self
            .old
            .iter()
            .map(|old| {
                let key = STANDARD_NO_PAD.encode(old.key);
                (old.key_id.clone(), json!({ "key": key, "expired_ts": old.expired }))
            })
            .collect();
        let current = STANDARD_NO_PAD.encode(self.current.public_key());
        let answer = json!({
            "server_name": self.server_name,
            "verify_keys": { self.key_id(): { "key": current } },
            "old_verify_keys": old,
            "valid_until_ts": now.saturating_add(VALID_MILLIS),
        });
        let mut object: CanonicalJsonObject =
            serde_json::from_value(answer).map_err(|error| error.to_string())?;
        self.current
            .sign_object(&self.server_name, &mut object)
            .map_err(|error| error.to_string())?;
        serde_json::to_string(&object).map_err(|error| error.to_string())
    }
}
