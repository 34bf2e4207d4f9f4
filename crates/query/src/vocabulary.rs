//! Words of the domain in the form in which rows keep them.

use rookery_domain::Pdu;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// What a user is to a room.
///
/// Source: Matrix client-server specification, `m.room.member`.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Membership {
    /// The room never heard of her.
    #[default]
    None,
    /// She was in the room, invited or knocking, and is no more.
    Leave,
    /// She asked to be let in.
    Knock,
    /// She may join.
    Invite,
    /// She is a member.
    Join,
    /// She is kept out.
    Ban,
}

/// Who may read the history of a room.
///
/// Source: Matrix client-server specification, "Room history visibility".
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum HistoryVisibility {
    /// Members, what was sent while they were joined.
    Joined,
    /// Members, what was sent since they were invited.
    Invited,
    /// Members, all that was sent before they left. Holds where a room says nothing.
    #[default]
    Shared,
    /// Everybody.
    WorldReadable,
}

impl Membership {
    /// The name in `m.room.member` events.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None | Self::Leave => "leave",
            Self::Knock => "knock",
            Self::Invite => "invite",
            Self::Join => "join",
            Self::Ban => "ban",
        }
    }

    /// What a member event says. [`Membership::Leave`] where it says nothing known.
    #[must_use]
    pub fn of(event: &Pdu) -> Self {
        #[derive(Deserialize)]
        struct Content {
            membership: Membership,
        }
        match event.content_as::<Content>() {
            Some(Content { membership: Self::None }) | None => Self::Leave,
            Some(content) => content.membership,
        }
    }
}

impl HistoryVisibility {
    /// The name in `m.room.history_visibility` events.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Joined => "joined",
            Self::Invited => "invited",
            Self::Shared => "shared",
            Self::WorldReadable => "world_readable",
        }
    }

    /// What an `m.room.history_visibility` event says; `Shared` where it says nothing known.
    #[must_use]
    pub fn of(event: &Pdu) -> Self {
        #[derive(Deserialize)]
        struct Content {
            history_visibility: HistoryVisibility,
        }
        event.content_as::<Content>().map(|content| content.history_visibility).unwrap_or_default()
    }
}

/// The content of an event, read leniently: what is missing or of another type is not there.
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

    pub(crate) fn flag(&self, key: &str) -> bool {
        self.0.get(key).and_then(Value::as_bool).unwrap_or(false)
    }

    pub(crate) fn integer(&self, key: &str) -> Option<i64> {
        self.0.get(key)?.as_i64()
    }

    pub(crate) fn texts(&self, key: &str) -> Vec<String> {
        let values = self.0.get(key).and_then(Value::as_array).into_iter().flatten();
        values.filter_map(|value| Some(value.as_str()?.to_owned())).collect()
    }

    pub(crate) fn integers(&self, key: &str) -> impl Iterator<Item = (&str, i64)> {
        let entries = self.0.get(key).and_then(Value::as_object).into_iter().flatten();
        entries.filter_map(|(key, value)| Some((key.as_str(), value.as_i64()?)))
    }
}
