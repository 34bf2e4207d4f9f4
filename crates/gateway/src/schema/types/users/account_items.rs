//! The stream's items of users' own data: receipts and devices.

use async_graphql::{Context, ID, Result, SimpleObject};
use rookery_domain::{AccountEvent, EphemeralKind, Fact, Filter, Membership, OwnedUserId, UserId};
use rookery_log::Position;
use rookery_projection::{Committed, ReadMark};
use rookery_view::RoomView;

use super::user::User;
use crate::{
    schema::{
        context::session,
        reads::reads,
        types::{
            errors::fault::Fault,
            rooms::room::{Access, Room},
            values::{
                connection::{Page, connection},
                scalars::{DateTime, EventIdScalar, Long, UserIdScalar},
            },
        },
    },
    sharing::{SharedBy, shared},
};

/// A read receipt moved: yours, on this device or on another one, or that of another member. Only
/// its owner receives a private one.
#[derive(Clone, SimpleObject)]
pub(crate) struct ReceiptMoved {
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
            sequence: Long::of_count(*sequence),
            is_private: *private,
            read_at: DateTime(committed.received),
        })
    }
}

/// You logged in on a new device.
#[derive(Clone, SimpleObject)]
pub(crate) struct DeviceAdded {
    /// The ID of the device.
    pub(crate) device_id: ID,
    /// Your name for it.
    pub(crate) name: Option<String>,
}

/// A device of yours was removed and logged out.
#[derive(Clone, SimpleObject)]
pub(crate) struct DeviceRemoved {
    /// The ID of the device.
    pub(crate) device_id: ID,
}

/// The read receipt of a member.
#[derive(Clone, SimpleObject)]
pub(crate) struct Receipt {
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

/// Receipts that are checked before the models are released.
const LOOKED_MAX: usize = 1_000;

/// A page of the public receipts of a room, newest first, after that of a given user. Empty unless
/// the viewer has joined.
pub(crate) async fn receipts(
    context: &Context<'_>,
    room: &Room,
    after: Option<&UserId>,
    limit: usize,
) -> Result<ReceiptConnection> {
    let viewer = session(context).viewer()?;
    let (reads, mut found) = (reads(context), Vec::new());
    let mut before = Position(u64::MAX);
    if let Some(after) = after {
        let mark = room.look(context, Access::Inside, |room| {
            room.read_marks(after)?.public.as_ref().map(|mark| mark.position)
        })?;
        before =
            mark.ok_or_else(|| Fault::bad_input("`after` is not a user with a receipt here"))?;
    }
    loop {
        reads.pause().await?;
        let looked = room.look(context, Access::Inside, |room| {
            if room.member(viewer).is_none_or(|it| it.membership != Membership::Join) {
                return 0;
            }
            let mut looked = 0;
            for (user, mark, joined) in room.public_marks_before(before).take(LOOKED_MAX) {
                looked += 1;
                before = mark.position;
                if joined {
                    found.push(Receipt::of(room, user, mark));
                    if found.len() > limit {
                        return 0;
                    }
                }
            }
            looked
        })?;
        reads.look_at_rows(looked)?;
        if looked < LOOKED_MAX {
            let key = |receipt: &Receipt| receipt.user_id.0.to_string();
            return Ok(ReceiptConnection(Page::read(found, limit, after.is_some(), key)));
        }
    }
}

impl Receipt {
    fn of(room: &RoomView<'_>, user: &UserId, mark: &ReadMark) -> Self {
        Self {
            user: User::in_room(user.to_owned(), room.id().to_owned()),
            user_id: UserIdScalar(user.to_owned()),
            event_id: EventIdScalar(mark.event_id.clone()),
            sequence: Long::of_count(mark.sequence),
            read_at: DateTime(mark.received),
        }
    }
}

/// The last event that a member has read, as far as the viewer may know.
pub(crate) fn read_up_to(
    room: &RoomView<'_>,
    user: &UserId,
    viewer: &UserId,
) -> Option<EventIdScalar> {
    let joined = |it: &rookery_projection::Member| it.membership == Membership::Join;
    let marks = room.read_marks(user).filter(|_| room.member(viewer).is_some_and(joined))?;
    let mark = if user == viewer { marks.furthest() } else { marks.public.as_ref() };
    mark.map(|mark| EventIdScalar(mark.event_id.clone()))
}
