//! Filters: the stored filters of each user.
//!
//! Each is kept as its stored JSON, so filters may get new fields without a new version of the
//! model.

use std::{
    collections::BTreeMap,
    ops::Bound::{Excluded, Unbounded},
};

use rookery_domain::{AccountEvent, Fact, Filter};
use rookery_log::StreamKind;
use serde::{Deserialize, Serialize};

use crate::Committed;
use crate::models::{Fold, StreamKey, Unfit};

/// The filters of one user, by ID.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Filters(BTreeMap<Box<str>, Box<str>>);

impl Filters {
    /// The filter with an ID.
    #[must_use]
    pub fn get(&self, filter_id: &str) -> Option<Filter> {
        serde_json::from_str(self.0.get(filter_id)?).ok()
    }

    /// The filters after the one with the given ID.
    pub fn after(&self, after: Option<&str>) -> impl Iterator<Item = (&str, Filter)> {
        let begin = after.map_or(Unbounded, Excluded);
        let filters = self.0.range::<str, _>((begin, Unbounded));
        filters.filter_map(|(id, json)| Some((&**id, serde_json::from_str(json).ok()?)))
    }

    /// All filters, by ID.
    pub fn iter(&self) -> impl Iterator<Item = (&str, Filter)> {
        self.0.iter().filter_map(|(id, json)| Some((&**id, serde_json::from_str(json).ok()?)))
    }
}

impl Fold for Filters {
    const NAME: &'static str = "filters";
    const VERSION: u32 = 1;
    const KIND: StreamKind = StreamKind::User;
    type Shared = ();

    fn apply(&mut self, _: StreamKey, committed: &Committed, (): &mut ()) -> Result<(), Unfit> {
        for fact in committed.facts.iter().flatten() {
            match fact {
                Fact::Account(AccountEvent::FilterCreated { filter_id, filter }) => {
                    let json = serde_json::to_string(filter)
                        .map_err(|error| Unfit::new(format!("a filter cannot be kept: {error}")))?;
                    self.0.insert(filter_id.as_str().into(), json.into());
                }
                Fact::Account(AccountEvent::FilterDeleted { filter_id }) => {
                    self.0.remove(filter_id.as_str());
                }
                _ => {}
            }
        }
        Ok(())
    }
}
