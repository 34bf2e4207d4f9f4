//! Reading the contents of events for the rows.

use rookery_domain::Pdu;
use serde_json::{Map, Value};

/// The content of an event, read leniently: a field of another type counts as missing.
#[derive(Default)]
pub(crate) struct Content(Map<String, Value>);

impl Content {
    pub(crate) fn of(pdu: &Pdu) -> Self {
        Self(pdu.content_as().unwrap_or_default())
    }

    /// A text that is not empty.
    pub(crate) fn text(&self, key: &str) -> Option<&str> {
        self.0.get(key)?.as_str().filter(|text| !text.is_empty())
    }

    pub(crate) fn owned(&self, key: &str) -> Option<String> {
        self.text(key).map(ToOwned::to_owned)
    }
}
