//! What the stream tells of users' own data: receipts and devices.

use async_graphql::SimpleObject;
use rookery_domain::{AccountEvent, Fact, OwnedUserId};
use rookery_query::Committed;

use super::{
    room::Room,
    scalars::{DateTime, EventIdScalar, UserIdScalar},
    user::User,
};

/// Somebody has read a room up to an event: you, on this device or on another one, or another
/// member. Private receipts are told to their owner alone.
#[derive(Clone, SimpleObject)]
pub(crate) struct ReceiptMoved {
    /// The room. If it is your own receipt, its unread counts are other ones now.
    room: Room,
    /// Who has read.
    user: User,
    /// Who has read, by ID.
    user_id: UserIdScalar,
    /// The last event that was read.
    event_id: EventIdScalar,
    /// The number of that event in the room.
    sequence: i64,
    /// Whether only you know. Never true of others.
    private: bool,
    /// When it was said.
    read_at: DateTime,
}

impl ReceiptMoved {
    /// The receipt at `index` of a commit.
    pub(crate) fn of(committed: &Committed, index: usize) -> Option<Self> {
        let Ok(Fact::Account(AccountEvent::ReceiptMoved { room_id, event_id, sequence, private })) =
            committed.facts.get(index)?
        else {
            return None;
        };
        let user = OwnedUserId::try_from(committed.stream.split()?.1).ok()?;
        Some(Self {
            room: Room::new(room_id.clone()),
            user: User::in_room(user.clone(), room_id.clone()),
            user_id: UserIdScalar(user),
            event_id: EventIdScalar(event_id.clone()),
            sequence: i64::try_from(*sequence).unwrap_or(i64::MAX),
            private: *private,
            read_at: DateTime(committed.received),
        })
    }
}

/// You have logged in on a new device.
#[derive(Clone, SimpleObject)]
pub(crate) struct DeviceAdded {
    /// The ID of the device.
    pub(crate) device_id: String,
    /// What you called it.
    pub(crate) name: Option<String>,
}

/// A device of yours is gone, and logged out.
#[derive(Clone, SimpleObject)]
pub(crate) struct DeviceRemoved {
    /// The ID of the device.
    pub(crate) device_id: String,
}
