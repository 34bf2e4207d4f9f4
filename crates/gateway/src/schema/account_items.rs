//! What the stream tells of users' own data: receipts and devices.

use async_graphql::SimpleObject;
use rookery_domain::{AccountEvent, EphemeralKind, Fact, Filter, OwnedUserId, UserId};
use rookery_query::{Committed, Membership, ReadMark, RoomView};

use super::{
    room::Room,
    scalars::{DateTime, EventIdScalar, UserIdScalar},
    sharing::{SharedBy, shared},
    user::User,
};

/// Somebody has read a room up to an event: you, on this device or on another one, or another
/// member. Private receipts are told to their owner alone.
#[derive(Clone, SimpleObject)]
pub(crate) struct ReceiptMoved {
    /// The room. If it is your own receipt, its unread counts are other ones now.
    #[graphql(directive = shared::apply(SharedBy::Everyone))]
    room: Room,
    /// Who has read.
    #[graphql(directive = shared::apply(SharedBy::Everyone))]
    user: User,
    /// Who has read, by ID.
    #[graphql(directive = shared::apply(SharedBy::Everyone))]
    user_id: UserIdScalar,
    /// The last event that was read.
    #[graphql(directive = shared::apply(SharedBy::Everyone))]
    event_id: EventIdScalar,
    /// The number of that event in the room.
    #[graphql(directive = shared::apply(SharedBy::Everyone))]
    sequence: i64,
    /// Whether only you know. Never true of others.
    #[graphql(directive = shared::apply(SharedBy::Everyone))]
    private: bool,
    /// When it was said.
    #[graphql(directive = shared::apply(SharedBy::Everyone))]
    read_at: DateTime,
}

impl ReceiptMoved {
    /// Whether the client wants it.
    pub(crate) fn is_wanted(&self, filter: &Filter) -> bool {
        filter.wants_ephemeral(EphemeralKind::Receipt) && filter.wants_room(self.room.matrix_id())
    }

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

/// Up to where a member has read a room.
#[derive(Clone, SimpleObject)]
pub(crate) struct Receipt {
    /// Who has read.
    user: User,
    /// Who has read, by ID.
    user_id: UserIdScalar,
    /// The last event that was read.
    event_id: EventIdScalar,
    /// The number of that event in the room.
    sequence: i64,
    /// When it was said.
    read_at: DateTime,
}

/// The public receipts of a room, the newest first, if the viewer has joined.
pub(crate) fn receipts(room: &RoomView<'_>, viewer: &UserId, limit: usize) -> Vec<Receipt> {
    let joined = |it: &rookery_query::Member| it.membership == Membership::Join;
    if !room.member(viewer).is_some_and(joined) {
        return Vec::new();
    }
    let mut marks: Vec<_> = room.public_marks().collect();
    marks.sort_by_key(|(user, mark)| (std::cmp::Reverse(mark.position), *user));
    let receipt = |(user, mark): (&UserId, &ReadMark)| Receipt {
        user: User::in_room(user.to_owned(), room.id().to_owned()),
        user_id: UserIdScalar(user.to_owned()),
        event_id: EventIdScalar(mark.event_id.clone()),
        sequence: i64::try_from(mark.sequence).unwrap_or(i64::MAX),
        read_at: DateTime(mark.received),
    };
    marks.into_iter().take(limit).map(receipt).collect()
}

/// Up to which event a member has read, as far as the viewer may know.
pub(crate) fn read_up_to(
    room: &RoomView<'_>,
    user: &UserId,
    viewer: &UserId,
) -> Option<EventIdScalar> {
    let joined = |it: &rookery_query::Member| it.membership == Membership::Join;
    let marks = room.read_marks(user).filter(|_| room.member(viewer).is_some_and(joined))?;
    let mark = if user == viewer { marks.furthest() } else { marks.public.as_ref() };
    mark.map(|mark| EventIdScalar(mark.event_id.clone()))
}
