//! The ways to name a room.

use async_graphql::OneofObject;

use crate::types::values::scalars::{RoomAliasScalar, RoomIdScalar};

/// A room: by its ID, or by an alias that points to it.
#[derive(OneofObject)]
pub enum RoomBy {
    /// The room with this ID.
    RoomId(RoomIdScalar),
    /// The room that this alias points to.
    Alias(RoomAliasScalar),
}
