//! Account data: content of a user's clients, which the server stores and does not interpret.
//!
//! **Invariant:** number and bytes of all account data of a user are bounded together.

use std::collections::BTreeMap;

use rookery_pdu::canonical;
use ruma_common::OwnedRoomId;
use serde::{Deserialize, Serialize};

use crate::{
    AccountEvent, Bound, JsonObject, Rejection,
    limits::{ACCOUNT_DATA_BYTES_MAX, ID_BYTES_MAX},
};

/// Types of Matrix whose content the server has in another form.
const RESERVED: [&str; 4] = ["m.direct", "m.fully_read", "m.ignored_user_list", "m.tag"];

/// The name of an entry: the room that it is about, if any, and its type.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct DataKey {
    /// The room; `None` for data about no room.
    pub room_id: Option<OwnedRoomId>,
    /// The type.
    pub kind: String,
}

/// The part of an entry that an account remembers: enough to recognise the same content.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Known {
    bytes: usize,
    digest: [u8; 32],
}

impl Known {
    fn of(key: &DataKey, text: &str) -> Self {
        let room_bytes = key.room_id.as_ref().map_or(0, |room| room.as_str().len());
        let bytes = room_bytes + key.kind.len() + text.len();
        Self { bytes, digest: *blake3::hash(text.as_bytes()).as_bytes() }
    }
}

/// The account data of a user, without its content.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct AccountData(BTreeMap<DataKey, Known>);

impl AccountData {
    /// How many entries there are.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// The events that store the content.
    pub(super) fn set(
        &self,
        key: DataKey,
        content: JsonObject,
    ) -> Result<Vec<AccountEvent>, Rejection> {
        if key.kind.is_empty() {
            return Err(Rejection::InvalidContent("the type is empty".to_owned()));
        }
        Rejection::if_longer("the type", &key.kind, ID_BYTES_MAX)?;
        if RESERVED.contains(&&*key.kind) {
            return Err(Rejection::ReservedType(key.kind));
        }
        let text = canonical(&content)?;
        Rejection::if_longer("the content", &text, ACCOUNT_DATA_BYTES_MAX)?;
        let known = Known::of(&key, &text);
        let before = self.0.get(&key);
        if before == Some(&known) {
            return Ok(Vec::new());
        }
        if before.is_none() {
            Bound::AccountData.admit(self.0.len())?;
        }
        let others: usize = self.0.values().map(|known| known.bytes).sum();
        let others = others - before.map_or(0, |before| before.bytes);
        Bound::AccountDataBytes.admit(others + known.bytes - 1)?;
        let DataKey { room_id, kind } = key;
        Ok(vec![AccountEvent::DataChanged { room_id, kind, content }])
    }

    /// The events that delete an entry.
    pub(super) fn delete(&self, key: DataKey) -> Vec<AccountEvent> {
        let is_known = self.0.contains_key(&key);
        let DataKey { room_id, kind } = key;
        is_known.then_some(AccountEvent::DataDeleted { room_id, kind }).into_iter().collect()
    }

    /// Folds changed content.
    pub(super) fn changed(&mut self, key: DataKey, content: &JsonObject) {
        // Content in the log was checked when it was stored.
        let text = canonical(content).unwrap_or_default();
        let known = Known::of(&key, &text);
        self.0.insert(key, known);
    }

    /// Folds a deletion.
    pub(super) fn deleted(&mut self, key: &DataKey) {
        self.0.remove(key);
    }
}
