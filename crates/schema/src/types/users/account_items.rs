//! The stream's items of users' own data: receipts and devices.

use async_graphql::{Context, ID, Result, SimpleObject};
use rookery_domain::{AccountEvent, EphemeralKind, Fact, Filter, OwnedUserId, RoomId, UserId};
use rookery_projection::{Committed, ReadMark};

use super::user::User;
use crate::{
    context::{app, session},
    marks::{SharedBy, shared},
    reads::reads,
    types::{
        errors::fault::Fault,
        rooms::room::Room,
        values::{
            connection::{Page, connection},
            scalars::{DateTime, EventIdScalar, Long, UserIdScalar},
        },
    },
};

/// A read receipt moved: yours, on this device or on another one, or that of another member. Only
/// its owner receives a private one.
#[derive(Clone, SimpleObject)]
pub struct ReceiptMoved {
    /// The room. If the receipt is your own, its unread counts have changed.
    #[graphql(directive = shared::apply(SharedBy::Everyone))]
    room: Room,
    /// The user of the receipt.
    #[graphql(directive = shared::apply(SharedBy::Everyone))]
    user: User,
    /// The ID of the user.
    #[graphql(directive = shared::apply(SharedBy::Everyone))]
    user_id: UserIdScalar,
    /// The last event that was read.
    #[graphql(directive = shared::apply(SharedBy::Everyone))]
    event_id: EventIdScalar,
    /// The sequence number of that event in the room.
    #[graphql(directive = shared::apply(SharedBy::Everyone))]
    sequence: Long,
    /// Whether only you can see it. Never true for others.
    #[graphql(directive = shared::apply(SharedBy::Everyone))]
    is_private: bool,
    /// When the receipt was sent.
    #[graphql(directive = shared::apply(SharedBy::Everyone))]
    read_at: DateTime,
}

impl ReceiptMoved {
    /// Whether the client wants it.
    pub fn is_wanted(&self, filter: &Filter) -> bool {
        filter.wants_ephemeral(EphemeralKind::Receipt) && filter.wants_room(self.room.matrix_id())
    }

    /// The receipt at `index` of a commit.
    pub fn of(committed: &Committed, index: usize) -> Option<Self> {
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
            sequence: Long::of_count(*sequence),
            is_private: *private,
            read_at: DateTime(committed.received),
        })
    }
}

/// Your preferences for a room changed, on this device or on another one.
#[derive(Clone, SimpleObject)]
pub struct RoomPreferencesChanged {
    /// The room. Its `preferences` and its counts are those of now.
    pub room: Room,
}

/// You ignore a user, or no longer, by this device or by another one.
#[derive(Clone, SimpleObject)]
pub struct IgnoredUsersChanged {
    /// The user, with `isIgnored` of now.
    pub user: User,
}

/// You logged in on a new device.
#[derive(Clone, SimpleObject)]
pub struct DeviceAdded {
    /// The ID of the device.
    pub device_id: ID,
    /// Your name for it.
    pub name: Option<String>,
}

/// A device of yours was removed and logged out.
#[derive(Clone, SimpleObject)]
pub struct DeviceRemoved {
    /// The ID of the device.
    pub device_id: ID,
}

/// The read receipt of a member.
#[derive(Clone, SimpleObject)]
pub struct Receipt {
    /// The member.
    user: User,
    /// The ID of the member.
    user_id: UserIdScalar,
    /// The last event that was read.
    event_id: EventIdScalar,
    /// The sequence number of that event in the room.
    sequence: Long,
    /// When the receipt was sent.
    read_at: DateTime,
}

connection!(ReceiptConnection, ReceiptEdge, Receipt, "A page of the read receipts of a room.");

/// A page of the public receipts of a room, newest first, after that of a given user.
pub async fn receipts(
    context: &Context<'_>,
    room: &Room,
    after: Option<&UserId>,
    limit: usize,
) -> Result<ReceiptConnection> {
    let (viewer, reads) = (session(context).viewer()?, reads(context));
    let wanted = (after, limit + 1);
    let found = app(context).models.receipts(room.matrix_id(), viewer, wanted, &reads).await;
    let unknown = || Fault::bad_input("`after` is not a user with a receipt here");
    let found = reads.found(found)?.flatten().ok_or_else(unknown)?.into_iter();
    let found = found.map(|(user, mark)| Receipt::of(room.matrix_id(), user, mark)).collect();
    let key = |receipt: &Receipt| receipt.user_id.0.to_string();
    Ok(ReceiptConnection(Page::read(found, limit, after.is_some(), key)))
}

impl Receipt {
    fn of(room: &RoomId, user: OwnedUserId, mark: ReadMark) -> Self {
        Self {
            user: User::in_room(user.clone(), room.to_owned()),
            user_id: UserIdScalar(user),
            event_id: EventIdScalar(mark.event_id),
            sequence: Long::of_count(mark.sequence),
            read_at: DateTime(mark.received),
        }
    }
}
