//! The public keys of other servers.

use std::collections::BTreeMap;

use async_trait::async_trait;
use rookery_domain::{MilliSecondsSinceUnixEpoch, OwnedServerName, ServerName};
use rookery_log::Unavailable;

/// A source of the keys with which servers sign their events.
#[async_trait]
pub trait ServerKeys: Send + Sync {
    /// The public key that `server` names `key_id` (such as `ed25519:a_1`), if it was valid at this
    /// time: the time at which the event was sent, according to its server.
    ///
    /// # Errors
    /// [`Unavailable`] if the key cannot be fetched now.
    async fn public_key(
        &self,
        server: &ServerName,
        key_id: &str,
        at: MilliSecondsSinceUnixEpoch,
    ) -> Result<Option<[u8; 32]>, Unavailable>;
}

/// Configured keys, valid at all times.
#[derive(Clone, Debug, Default)]
pub struct TrustedKeys(BTreeMap<OwnedServerName, BTreeMap<String, [u8; 32]>>);

impl TrustedKeys {
    /// Adds a key. `key_id` is its algorithm and name, such as `ed25519:a_1`.
    pub fn insert(&mut self, server: OwnedServerName, key_id: String, key: [u8; 32]) {
        self.0.entry(server).or_default().insert(key_id, key);
    }

    /// All keys, each with its server and its ID.
    pub fn iter(&self) -> impl Iterator<Item = (&ServerName, &str, &[u8; 32])> {
        self.0.iter().flat_map(|(server, keys)| {
            keys.iter().map(move |(key_id, key)| (&**server, key_id.as_str(), key))
        })
    }
}

#[async_trait]
impl ServerKeys for TrustedKeys {
    async fn public_key(
        &self,
        server: &ServerName,
        key_id: &str,
        _: MilliSecondsSinceUnixEpoch,
    ) -> Result<Option<[u8; 32]>, Unavailable> {
        Ok(self.0.get(server).and_then(|keys| keys.get(key_id)).copied())
    }
}
