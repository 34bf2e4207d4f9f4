//! The content of an event, read on first use.
//!
//! **Invariant:** a part that is missing or of another type than the specification says is absent.
//! Content of other servers never makes an answer fail.

use std::sync::{Arc, OnceLock};

use rookery_domain::{JsonObject, Pdu};
use serde_json::Value;

use crate::types::values::text::Text;

/// The content of an event.
#[derive(Clone)]
pub(crate) struct EventContent {
    pdu: Arc<Pdu>,
    read: OnceLock<JsonObject>,
}

impl EventContent {
    /// The content of this event.
    pub(crate) fn of(pdu: &Arc<Pdu>) -> Self {
        Self { pdu: Arc::clone(pdu), read: OnceLock::new() }
    }

    /// The whole event.
    pub(crate) fn pdu(&self) -> &Pdu {
        &self.pdu
    }

    /// A part of the content.
    pub(crate) fn get(&self, key: &str) -> Option<&Value> {
        self.read.get_or_init(|| self.pdu.content_as().unwrap_or_default()).get(key)
    }

    /// A text of the content.
    pub(crate) fn str(&self, key: &str) -> Option<&str> {
        self.get(key)?.as_str()
    }

    /// The same, for answers.
    pub(crate) fn text(&self, key: &str) -> Option<Text> {
        self.str(key).map(|text| Text(text.to_owned()))
    }

    /// An identifier of the content.
    pub(crate) fn id<T: for<'a> TryFrom<&'a str>>(&self, key: &str) -> Option<T> {
        self.str(key)?.try_into().ok()
    }

    /// The identifiers of a list.
    pub(crate) fn ids<T: for<'a> TryFrom<&'a str>>(&self, key: &str) -> Vec<T> {
        let list = self.get(key).and_then(Value::as_array).into_iter().flatten();
        list.filter_map(|id| id.as_str()?.try_into().ok()).collect()
    }
}
