//! What matters for the counts of what a message says.
//!
//! **Invariant:** the content is read once; what is of another type than it should be is as good as
//! absent.

use std::borrow::Cow;

use rookery_domain::{OwnedUserId, Pdu};
use serde::Deserialize;

use crate::content::Content;

/// A message.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Message<'a> {
    #[serde(borrow)]
    body: Option<Cow<'a, str>>,
    #[serde(rename = "m.mentions")]
    mentions: Option<Mentions>,
    #[serde(borrow, rename = "m.relates_to")]
    relates_to: Option<RelatesTo<'a>>,
    #[serde(skip)]
    nothing: bool,
}

/// Whom it names, as its sender says.
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

    /// Its content is empty: that is what redaction leaves of a message.
    pub(super) fn says_nothing(&self) -> bool {
        self.nothing
    }

    pub(super) fn is_edit(&self) -> bool {
        let rel_type = self.relates_to.as_ref().and_then(|relates| relates.rel_type.as_deref());
        rel_type == Some("m.replace")
    }

    pub(super) fn body(&self) -> &str {
        self.body.as_deref().unwrap_or_default()
    }

    pub(super) fn mentions(&self) -> Option<&Mentions> {
        self.mentions.as_ref()
    }
}

fn is_empty(content: &str) -> bool {
    let inside = content.trim().strip_prefix('{').and_then(|content| content.strip_suffix('}'));
    inside.is_some_and(|inside| inside.trim().is_empty())
}
