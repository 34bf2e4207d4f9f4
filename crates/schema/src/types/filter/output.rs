//! The form of a filter for output.

use async_graphql::{ID, Object, SimpleObject};
use rookery_domain::{Filter, OwnedRoomId, OwnedUserId};

use super::input::EphemeralKindEnum;
use crate::types::values::{
    list::List,
    scalars::{RoomIdScalar, UserIdScalar},
    text::Text,
};

/// A filter that you have stored. Use its ID as `filterId` in place of any `filter`.
#[derive(Clone, SimpleObject)]
pub struct StoredFilter {
    /// The ID: a hash of the filter.
    pub filter_id: ID,
    /// The filter.
    pub filter: FilterShown,
}

/// The events and updates that a filter accepts. Null fields do not restrict.
#[derive(Clone)]
pub struct FilterShown(pub Filter);

/// The events and updates that a filter accepts. Null fields do not restrict.
#[Object(name = "Filter")]
impl FilterShown {
    /// Only events of these types; `*` stands for any text.
    async fn types(&self) -> Option<List<Text>> {
        texts(self.0.types.as_deref())
    }

    /// No events of these types; `*` stands for any text.
    async fn not_types(&self) -> Option<List<Text>> {
        texts(self.0.not_types.as_deref())
    }

    /// Only these rooms.
    async fn rooms(&self) -> Option<List<RoomIdScalar>> {
        rooms(self.0.rooms.as_deref())
    }

    /// Not these rooms.
    async fn not_rooms(&self) -> Option<List<RoomIdScalar>> {
        rooms(self.0.not_rooms.as_deref())
    }

    /// Only events from these users.
    async fn senders(&self) -> Option<List<UserIdScalar>> {
        users(self.0.senders.as_deref())
    }

    /// No events from these users.
    async fn not_senders(&self) -> Option<List<UserIdScalar>> {
        users(self.0.not_senders.as_deref())
    }

    /// Include events that arrive late.
    async fn include_late(&self) -> bool {
        self.0.include_late
    }

    /// Only these kinds of ephemeral updates.
    async fn ephemeral(&self) -> Option<List<EphemeralKindEnum>> {
        let kinds = self.0.ephemeral.as_ref()?;
        Some(kinds.iter().map(|kind| EphemeralKindEnum::from(*kind)).collect())
    }

    /// Not these kinds of ephemeral updates.
    async fn not_ephemeral(&self) -> Option<List<EphemeralKindEnum>> {
        let kinds = self.0.not_ephemeral.as_ref()?;
        Some(kinds.iter().map(|kind| EphemeralKindEnum::from(*kind)).collect())
    }

    /// Presence and profile of these users only.
    async fn presence_of(&self) -> Option<List<UserIdScalar>> {
        users(self.0.presence_of.as_deref())
    }

    /// No presence and profile of these users.
    async fn not_presence_of(&self) -> Option<List<UserIdScalar>> {
        users(self.0.not_presence_of.as_deref())
    }
}

fn texts(texts: Option<&[String]>) -> Option<List<Text>> {
    Some(texts?.iter().cloned().map(Text).collect())
}

fn rooms(rooms: Option<&[OwnedRoomId]>) -> Option<List<RoomIdScalar>> {
    Some(rooms?.iter().cloned().map(RoomIdScalar).collect())
}

fn users(users: Option<&[OwnedUserId]>) -> Option<List<UserIdScalar>> {
    Some(users?.iter().cloned().map(UserIdScalar).collect())
}
