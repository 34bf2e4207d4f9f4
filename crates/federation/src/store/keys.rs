//! The keys of other servers.

use rookery_domain::{OwnedServerName, ServerName};
use serde::{Deserialize, Serialize};

use super::{Store, StoreError, file::KEYS};

/// Most keys of one server that are stored. Those that expired first make room.
const KEYS_PER_SERVER_MAX: usize = 64;

/// A key of another server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct StoredKey {
    /// Its algorithm and name.
    pub(crate) key_id: String,
    /// The public half.
    pub(crate) key: [u8; 32],
    /// The last moment at which it is valid, in milliseconds since 1970.
    pub(crate) valid_until: u64,
    /// Whether its server said that it uses the key no more. Then it is never valid later.
    pub(crate) is_old: bool,
}

impl Store {
    /// All stored keys of a server.
    pub(crate) async fn keys_of(&self, server: &ServerName) -> Result<Vec<StoredKey>, StoreError> {
        let server = server.to_owned();
        self.read(move |read| {
            let table = read.open_table(KEYS)?;
            Ok(keys_in(&table, &server)?)
        })
        .await
    }

    /// Stores keys of a server beside those that it has. A key keeps its bytes for ever: other bytes under a known
    /// key ID are ignored.
    pub(crate) async fn put_keys(
        &self,
        server: OwnedServerName,
        keys: Vec<StoredKey>,
    ) -> Result<(), StoreError> {
        self.write(move |write| {
            let mut table = write.open_table(KEYS)?;
            let mut known = keys_in(&table, &server)?;
            for new in keys {
                match known.iter_mut().find(|key| key.key_id == new.key_id) {
                    Some(key) if key.key == new.key => *key = new,
                    Some(key) => {
                        tracing::warn!(%server, key = key.key_id, "a server gave other bytes for a known key: ignored");
                    }
                    None => known.push(new),
                }
            }
            known.sort_by_key(|key| std::cmp::Reverse(key.valid_until));
            for (place, key) in known.iter().enumerate() {
                let name = (server.as_str(), key.key_id.as_str());
                if place < KEYS_PER_SERVER_MAX {
                    let row = serde_json::to_vec(key).unwrap_or_default();
                    table.insert(name, row.as_slice())?;
                } else {
                    table.remove(name)?;
                }
            }
            Ok(())
        })
        .await
    }
}

fn keys_in(
    table: &impl redb::ReadableTable<(&'static str, &'static str), &'static [u8]>,
    server: &ServerName,
) -> Result<Vec<StoredKey>, redb::StorageError> {
    let mut keys = Vec::new();
    for row in table.range((server.as_str(), "")..)? {
        let (name, value) = row?;
        if name.value().0 != server.as_str() {
            break;
        }
        keys.extend(serde_json::from_slice::<StoredKey>(value.value()));
    }
    Ok(keys)
}
