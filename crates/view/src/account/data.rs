//! Account data of a user, from the log.
//!
//! **Invariant:** each read is of the user's own account data. The caller asks for that of the
//! viewer alone.

use std::sync::Arc;

use rookery_domain::{AccountEvent, Fact, JsonObject, RoomId, UserId};
use rookery_projection::{Committed, DataPlace};

use crate::{EVENT_UNIT_BYTES, Meter, Reader, TimelineError};

/// The requested account data.
#[derive(Clone, Copy, Debug)]
pub struct WantedData<'a> {
    /// About this room; `None` for data about no room.
    pub room: Option<&'a RoomId>,
    /// Of this type only.
    pub kind: Option<&'a str>,
    /// After this type.
    pub after: Option<&'a str>,
    /// The greatest number of entries.
    pub limit: usize,
}

/// An entry of account data.
#[derive(Clone, Debug)]
pub struct DataEntry {
    /// Its type.
    pub kind: String,
    committed: Arc<Committed>,
    index: usize,
}

impl DataEntry {
    /// The content; `None` if the log cannot be read there.
    #[must_use]
    pub fn content(&self) -> Option<&JsonObject> {
        match self.committed.facts.get(self.index)? {
            Ok(Fact::Account(AccountEvent::DataChanged { content, .. })) => Some(content),
            _ => None,
        }
    }
}

impl Reader {
    /// Account data of `user`, by type, within the budget of a request.
    ///
    /// # Errors
    /// [`TimelineError`] if the log cannot be read, or if the budget is used up.
    pub async fn account_data(
        &self,
        user: &UserId,
        wanted: WantedData<'_>,
        meter: &dyn Meter,
    ) -> Result<Vec<DataEntry>, TimelineError> {
        let places = self.data_places(user, wanted);
        let units = places.iter().map(|(_, place)| 1 + place.len_bytes / EVENT_UNIT_BYTES).sum();
        meter.turn().await?;
        meter.take(units)?;
        let positions = places.iter().map(|(_, place)| place.position).collect();
        let commits = self.commits(positions).await?;
        let entry = |(kind, place): (String, DataPlace)| {
            let committed = Arc::clone(commits.get(&place.position)?);
            Some(DataEntry { kind, committed, index: place.index })
        };
        Ok(places.into_iter().filter_map(entry).collect())
    }

    fn data_places(&self, user: &UserId, wanted: WantedData<'_>) -> Vec<(String, DataPlace)> {
        let WantedData { room, kind, after, limit } = wanted;
        let view = self.view();
        let Some(preferences) = view.preferences(user) else { return Vec::new() };
        if let Some(kind) = kind.filter(|kind| after.is_none_or(|after| after < *kind)) {
            let place = preferences.data_of(room, kind);
            return place.map(|place| (kind.to_owned(), place)).into_iter().take(limit).collect();
        }
        if kind.is_some() {
            return Vec::new();
        }
        let data = preferences.data(room, after).take(limit);
        data.map(|(kind, place)| (kind.to_owned(), place)).collect()
    }
}
