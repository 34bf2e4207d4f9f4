//! The parts of a message that matter for the counts.
//!
//! **Invariant:** the content is read once; a field of another type counts as missing.

use std::borrow::Cow;

use rookery_domain::{OwnedUserId, Pdu};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::commits::Content;

/// A message.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Message<'a> {
    #[serde(borrow)]
    body: Option<Cow<'a, str>>,
    #[serde(rename = "m.mentions")]
    mentions: Option<Mentions>,
    #[serde(borrow, rename = "m.relates_to")]
    relates_to: Option<RelatesTo<'a>>,
    #[serde(borrow, rename = "m.new_content")]
    new_content: Option<&'a RawValue>,
    #[serde(skip)]
    nothing: bool,
}

/// The mentions, as the sender set them.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Mentions {
    #[serde(default)]
    user_ids: Vec<String>,
    /// Everybody.
    #[serde(default)]
    pub(super) room: bool,
}

impl Mentions {
    pub(super) fn users(&self) -> impl Iterator<Item = OwnedUserId> {
        self.user_ids.iter().filter_map(|user| user.as_str().try_into().ok())
    }
}

/// The new text of an edit.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Words<'a> {
    #[serde(borrow)]
    body: Option<Cow<'a, str>>,
    #[serde(rename = "m.mentions")]
    mentions: Option<Mentions>,
}

impl Words<'_> {
    pub(super) fn words(&self) -> (&str, Option<&Mentions>) {
        (self.body.as_deref().unwrap_or_default(), self.mentions.as_ref())
    }
}

#[derive(Debug, Default, Deserialize)]
struct RelatesTo<'a> {
    #[serde(borrow)]
    rel_type: Option<Cow<'a, str>>,
}

impl<'a> Message<'a> {
    pub(super) fn of(pdu: &'a Pdu) -> Self {
        let nothing = is_empty(pdu.content.get());
        let lenient = || {
            let content = Content::of(pdu);
            Self { body: content.owned("body").map(Cow::Owned), ..Self::default() }
        };
        Self { nothing, ..pdu.content_as().unwrap_or_else(lenient) }
    }

    /// Whether the content is empty, which is the redacted form of a message.
    pub(super) fn says_nothing(&self) -> bool {
        self.nothing
    }

    pub(super) fn is_edit(&self) -> bool {
        let rel_type = self.relates_to.as_ref().and_then(|relates| relates.rel_type.as_deref());
        rel_type == Some("m.replace")
    }

    pub(super) fn words(&self) -> (&str, Option<&Mentions>) {
        (self.body.as_deref().unwrap_or_default(), self.mentions.as_ref())
    }

    /// For an edit: the new text of the message. Empty if it is encrypted.
    pub(super) fn new_content(&self) -> Words<'_> {
        let content = self.new_content.map(RawValue::get);
        content.and_then(|content| serde_json::from_str(content).ok()).unwrap_or_default()
    }
}

fn is_empty(content: &str) -> bool {
    let inside = content.trim().strip_prefix('{').and_then(|content| content.strip_suffix('}'));
    inside.is_some_and(|inside| inside.trim().is_empty())
}
