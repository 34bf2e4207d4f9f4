//! What a stream tells.

use async_graphql::{ComplexObject, Context, Enum, Result, SimpleObject, Union};
use rookery_domain::{AccountEvent, Fact, Pdu};
use rookery_projection::Committed;
use rookery_view::{ClosedRoom, Closing};

use crate::schema::{
    context::{app, session},
    types::{
        errors::fault::Fault,
        events::event::RoomEvent,
        rooms::{
            room::Room,
            timeline::{self, TimelineArguments, TimelineConnection},
        },
        users::{
            account_items::{DeviceAdded, DeviceRemoved, ReceiptMoved},
            user::User,
        },
        values::scalars::{CursorScalar, EventIdScalar, Long, RoomIdScalar},
    },
};

/// One thing that you are told of.
#[derive(Clone, Union)]
pub(crate) enum StreamItem {
    /// Something happened in a room of yours.
    Event(RoomEvent),
    /// The servers of a room have agreed on its state anew.
    Resolved(StateResolved),
    /// You have joined a room.
    Opened(RoomOpened),
    /// A room is closed to you.
    Closed(RoomClosed),
    /// You are invited.
    Invited(Invited),
    /// Your profile has changed.
    Profile(ProfileChanged),
    /// Somebody has read a room further.
    Receipt(ReceiptMoved),
    /// You have logged in on a new device.
    DeviceAdded(DeviceAdded),
    /// A device of yours is gone.
    DeviceRemoved(DeviceRemoved),
}

/// A slot of a room's state is held by another event from now on, or by none, though that event is
/// not told now: events of several servers met, and the rules of the room decided; or it arrived
/// late, and you did not ask for such events.
#[derive(Clone, SimpleObject)]
pub(crate) struct StateResolved {
    /// The room.
    pub(super) room: Room,
    /// The type of the state.
    #[graphql(name = "type")]
    pub(super) kind: String,
    /// Which of the states of this type it is. Never null; of the type of `RoomEvent.stateKey`, so that
    /// one document may select both.
    pub(super) state_key: Option<String>,
    /// The event that holds it now. Null if none does: the room is as if it had never been set.
    pub(super) event: Option<RoomEvent>,
}

/// You have joined a room: on this device, or on another one.
#[derive(Clone, SimpleObject)]
#[graphql(complex)]
pub(crate) struct RoomOpened {
    /// The room, as it was when you joined: what changed since comes on this stream.
    pub(super) room: Room,
    /// The number of the event by which it was opened. Every number from it on is that of an event
    /// that you are told, or of one that is `skipped`, until the room is closed.
    pub(super) sequence: Long,
    /// Scroll back from here: everything before it is in the timeline, everything after it is on
    /// this stream.
    pub(super) cursor: CursorScalar,
}

#[ComplexObject]
impl RoomOpened {
    /// Enough of the room for a screen: the last events before `cursor`, of those that the filter
    /// lets pass.
    async fn messages(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "How many, from 1 to 100; 20 if you do not say.")] last: Option<i32>,
    ) -> Result<TimelineConnection> {
        let before = Some(self.cursor.clone());
        let arguments = TimelineArguments { before, ..TimelineArguments::last(last) };
        timeline::page(context, &self.room, arguments).await
    }
}

/// How a room was closed to you.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "Closing")]
pub(crate) enum ClosingReason {
    /// You left.
    Left,
    /// Somebody removed you.
    Kicked,
    /// Somebody banned you.
    Banned,
    /// You declined the invite, or took back the request to be let in.
    Declined,
    /// Somebody took back the invite, or refused the request.
    Withdrawn,
    /// The servers of the room have agreed that you had no right to be in it.
    Resolved,
}

/// You see nothing more of a room.
#[derive(Clone, SimpleObject)]
pub(crate) struct RoomClosed {
    /// The room.
    pub(super) room_id: RoomIdScalar,
    /// How it came about.
    pub(super) reason: ClosingReason,
    /// The event that says so, or by whose arrival it came about.
    pub(super) event_id: EventIdScalar,
    /// Who sent it.
    pub(super) by: User,
}

impl RoomClosed {
    /// Reads the events by which rooms were closed: all of them at once.
    pub(crate) async fn read(context: &Context<'_>, closed: &[ClosedRoom]) -> Result<Vec<Self>> {
        let viewer = session(context).viewer()?;
        let positions = closed.iter().map(|closed| closed.change.position).collect();
        let commits = app(context).models.commits(positions).await;
        let commits = commits.map_err(|error| Fault::unavailable(&error.to_string()))?;
        let read = |closed: &ClosedRoom| {
            let committed = commits.get(&closed.change.position)?;
            let index = closed.change.sequence.checked_sub(committed.first_sequence)?;
            let pdu = &committed.room_event(usize::try_from(index).ok()?)?.pdu;
            let by_self = pdu.sender == viewer;
            let how = Closing::of(closed.before, closed.change.membership, by_self)?;
            Some(Self::new(pdu, how))
        };
        Ok(closed.iter().filter_map(read).collect())
    }

    pub(super) fn new(pdu: &Pdu, how: Closing) -> Self {
        Self {
            room_id: RoomIdScalar(pdu.room_id.clone()),
            reason: how.into(),
            event_id: EventIdScalar(pdu.event_id.clone()),
            by: User::in_room(pdu.sender.clone(), pdu.room_id.clone()),
        }
    }
}

/// You are invited to a room.
#[derive(Clone, SimpleObject)]
pub(crate) struct Invited {
    /// The room, as far as it is shown to those who are invited.
    pub(super) room: Room,
    /// Who invites you.
    pub(super) inviter: User,
    /// The invite. Never null; of the type of `StateResolved.event`, so that one document may select both.
    pub(super) event: Option<RoomEvent>,
}

/// Your profile has changed, on this device or on another one.
#[derive(Clone, SimpleObject)]
pub(crate) struct ProfileChanged {
    /// You.
    pub(super) user: User,
}

/// A device of the user's that came or went, as an item.
pub(super) fn device_item(committed: &Committed, index: usize) -> Option<StreamItem> {
    match committed.facts.get(index)? {
        Ok(Fact::Account(AccountEvent::DeviceAdded { device_id, name })) => {
            let (device_id, name) = (device_id.clone(), name.clone());
            Some(StreamItem::DeviceAdded(DeviceAdded { device_id, name }))
        }
        Ok(Fact::Account(AccountEvent::DeviceRemoved { device_id })) => {
            Some(StreamItem::DeviceRemoved(DeviceRemoved { device_id: device_id.clone() }))
        }
        _ => None,
    }
}
