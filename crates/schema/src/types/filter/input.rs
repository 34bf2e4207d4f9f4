//! The form of a filter for input.

use async_graphql::{Enum, InputObject};
use rookery_domain::{EphemeralKind, Filter};

use crate::types::{
    errors::fault::Fault,
    values::scalars::{RoomIdScalar, UserIdScalar},
};

/// Updates that are sent once and have no place in a timeline.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(name = "EphemeralKind", remote = "EphemeralKind")]
pub enum EphemeralKindEnum {
    /// Users who are typing.
    Typing,
    /// The presence of users.
    Presence,
    /// Read receipts of other members.
    Receipt,
}

/// The events and updates that you want. Fields that you leave out do not restrict. A `not` field
/// wins over its opposite. A list has at most 100 entries.
#[derive(Clone, Debug, Default, InputObject)]
pub struct FilterInput {
    /// Only events of these types; `*` stands for any text, as in `m.room.*`.
    types: Option<Vec<String>>,
    /// No events of these types; `*` stands for any text.
    not_types: Option<Vec<String>>,
    /// Only these rooms.
    rooms: Option<Vec<RoomIdScalar>>,
    /// Not these rooms.
    not_rooms: Option<Vec<RoomIdScalar>>,
    /// Only events from these users.
    senders: Option<Vec<UserIdScalar>>,
    /// No events from these users.
    not_senders: Option<Vec<UserIdScalar>>,
    /// Include events that arrive late, after events that they precede in the timeline.
    #[graphql(default)]
    include_late: bool,
    /// Only these kinds of ephemeral updates.
    ephemeral: Option<Vec<EphemeralKindEnum>>,
    /// Not these kinds of ephemeral updates.
    not_ephemeral: Option<Vec<EphemeralKindEnum>>,
    /// Presence and profile of these users only.
    presence_of: Option<Vec<UserIdScalar>>,
    /// No presence and profile of these users.
    not_presence_of: Option<Vec<UserIdScalar>>,
}

impl FilterInput {
    /// The filter, if it is not too large.
    pub fn checked(self) -> Result<Filter, Fault> {
        let filter = self.filter();
        filter.check().map_err(|error| Fault::bad_input(format!("`filter`: {error}")))?;
        Ok(filter)
    }

    fn filter(self) -> Filter {
        let rooms = |rooms: Option<Vec<RoomIdScalar>>| {
            rooms.map(|rooms| rooms.into_iter().map(|room| room.0).collect())
        };
        let users = |users: Option<Vec<UserIdScalar>>| {
            users.map(|users| users.into_iter().map(|user| user.0).collect())
        };
        let kinds = |kinds: Option<Vec<EphemeralKindEnum>>| {
            kinds.map(|kinds| kinds.into_iter().map(EphemeralKind::from).collect())
        };
        Filter {
            types: self.types,
            not_types: self.not_types,
            rooms: rooms(self.rooms),
            not_rooms: rooms(self.not_rooms),
            senders: users(self.senders),
            not_senders: users(self.not_senders),
            include_late: self.include_late,
            ephemeral: kinds(self.ephemeral),
            not_ephemeral: kinds(self.not_ephemeral),
            presence_of: users(self.presence_of),
            not_presence_of: users(self.not_presence_of),
        }
    }
}
