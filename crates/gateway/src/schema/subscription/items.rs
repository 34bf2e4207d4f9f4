//! The items of a stream.

use std::borrow::Cow;

use async_graphql::{
    ComplexObject, Context, ContextSelectionSet, OutputType, Positioned, Result, ServerResult,
    SimpleObject, Union, Value, parser::types::Field, registry::Registry,
};
use rookery_domain::{AccountEvent, Fact, Filter};
use rookery_projection::Committed;
use rookery_schema::types::{
    calls::call::Call,
    events::{event::RoomEvent, typed::EventItem},
    rooms::{
        closed::RoomClosed,
        room::Room,
        timeline::{self, TimelineArguments, TimelineConnection},
    },
    users::{
        account_data::{AccountDataChanged, RoomAccountDataChanged},
        account_items::{
            DeviceAdded, DeviceRemoved, IgnoredUsersChanged, ReceiptMoved, RoomPreferencesChanged,
        },
        user::User,
    },
    values::{
        list::List,
        scalars::{CursorScalar, Long},
    },
};

use super::elsewhere::RemoteActionEnded;

/// One item of the stream.
#[derive(Clone, Union)]
pub(crate) enum StreamItem {
    /// An event in one of your rooms.
    #[graphql(flatten)]
    Event(EventItem),
    /// State resolution changed the state of a room.
    Resolved(StateResolved),
    /// You joined a room.
    Opened(RoomOpened),
    /// A room was closed to you.
    Closed(RoomClosed),
    /// You were invited.
    Invited(Invited),
    /// A call of yours changed.
    Call(CallChanged),
    /// Your profile changed.
    Profile(ProfileChanged),
    /// A read receipt moved.
    Receipt(ReceiptMoved),
    /// Your preferences for a room changed.
    RoomPreferences(RoomPreferencesChanged),
    /// You ignore a user, or no longer.
    Ignored(IgnoredUsersChanged),
    /// Your account data changed.
    Data(AccountDataChanged),
    /// Your account data about a room changed.
    RoomData(RoomAccountDataChanged),
    /// You logged in on a new device.
    DeviceAdded(DeviceAdded),
    /// A device of yours was removed.
    DeviceRemoved(DeviceRemoved),
    /// An action of yours that other servers had to answer has ended.
    RemoteAction(RemoteActionEnded),
}

/// An item in a list. An event, which most items are, is resolved at once.
pub(crate) struct ListedItem<'a>(&'a StreamItem);

impl<'a> ListedItem<'a> {
    /// The items as a list.
    pub(crate) fn list(items: &'a [StreamItem]) -> List<Self> {
        items.iter().map(Self).collect()
    }
}

impl OutputType for ListedItem<'_> {
    fn type_name() -> Cow<'static, str> {
        StreamItem::type_name()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        StreamItem::create_type_info(registry)
    }

    fn introspection_type_name(&self) -> Cow<'static, str> {
        self.0.introspection_type_name()
    }

    async fn resolve(
        &self,
        context: &ContextSelectionSet<'_>,
        field: &Positioned<Field>,
    ) -> ServerResult<Value> {
        match self.0 {
            StreamItem::Event(event) => event.resolve(context, field).await,
            // Boxed, so that the future of an event stays small.
            item => Box::pin(item.resolve(context, field)).await,
        }
    }
}

/// Another event, or none, holds a slot of a room's state from now on, and that event is not sent
/// now. Either events of several servers met and state resolution decided, or the event arrived
/// late and you did not ask for late events.
#[derive(Clone, SimpleObject)]
pub(crate) struct StateResolved {
    /// The room.
    pub(super) room: Room,
    /// The type of the state.
    #[graphql(name = "type")]
    pub(super) kind: String,
    /// The state key. Never null; it has the type of `RoomEvent.stateKey`, so that one document may
    /// select both.
    pub(super) state_key: Option<String>,
    /// The event that holds it now. Null if the slot is empty: then the room is as if it had never
    /// been set.
    pub(super) event: Option<RoomEvent>,
}

/// You joined a room, on this device or on another one. Or your service follows it from now on.
#[derive(Clone, SimpleObject)]
#[graphql(complex)]
pub(crate) struct RoomOpened {
    /// The room as it was when you joined. Later changes come on this stream.
    pub(super) room: Room,
    /// The sequence number of the event that opened it, or of the next event if an alias did. From it on, every number belongs to an
    /// event that you receive or to a `skipped` one, until the room is closed.
    pub(super) sequence: Long,
    /// Scroll back from here: earlier events are in the timeline, later ones on this stream.
    pub(super) cursor: CursorScalar,
}

#[ComplexObject]
impl RoomOpened {
    /// The latest events before `cursor` that the filter accepts.
    async fn messages(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "How many, from 1 to 100; 20 by default.")] last: Option<i32>,
    ) -> Result<TimelineConnection> {
        let before = Some(self.cursor.clone());
        let arguments = TimelineArguments { before, ..TimelineArguments::last(last) };
        timeline::page(context, &self.room, arguments).await
    }
}

/// You were invited to a room.
#[derive(Clone, SimpleObject)]
pub(crate) struct Invited {
    /// The room, as far as invited users see it.
    pub(super) room: Room,
    /// The user who invites you.
    pub(super) inviter: User,
    /// The invite. Null if this server is not in the room: see `room.invite`.
    pub(super) event: Option<RoomEvent>,
}

/// A call of yours was placed, answered or ended, on this device or on another one.
#[derive(Clone, SimpleObject)]
pub(crate) struct CallChanged {
    /// The call, as of now.
    pub(super) call: Call,
}

/// Your profile changed, on this device or on another one.
#[derive(Clone, SimpleObject)]
pub(crate) struct ProfileChanged {
    /// You.
    pub(super) user: User,
}

/// The item of a change of preferences or account data, unless the filter excludes it.
pub(super) fn preferences_item(
    committed: &Committed,
    index: usize,
    filter: &Filter,
) -> Option<StreamItem> {
    match committed.facts.get(index)? {
        Ok(Fact::Account(AccountEvent::RoomPreferencesChanged { room_id, .. })) => {
            let room = filter.wants_room(room_id).then(|| Room::new(room_id.clone()))?;
            Some(StreamItem::RoomPreferences(RoomPreferencesChanged { room }))
        }
        Ok(Fact::Account(
            AccountEvent::UserIgnored { user_id } | AccountEvent::UserUnignored { user_id },
        )) => {
            let user = User::new(user_id.clone());
            Some(StreamItem::Ignored(IgnoredUsersChanged { user }))
        }
        Ok(Fact::Account(
            AccountEvent::DataChanged { room_id: None, kind, .. }
            | AccountEvent::DataDeleted { room_id: None, kind },
        )) => Some(StreamItem::Data(AccountDataChanged { kind: kind.clone() })),
        Ok(Fact::Account(
            AccountEvent::DataChanged { room_id: Some(room_id), kind, .. }
            | AccountEvent::DataDeleted { room_id: Some(room_id), kind },
        )) => {
            let room = filter.wants_room(room_id).then(|| Room::new(room_id.clone()))?;
            Some(StreamItem::RoomData(RoomAccountDataChanged { room, kind: kind.clone() }))
        }
        _ => None,
    }
}

/// The item of an added or removed device.
pub(super) fn device_item(committed: &Committed, index: usize) -> Option<StreamItem> {
    match committed.facts.get(index)? {
        Ok(Fact::Account(AccountEvent::DeviceAdded { device_id, name })) => {
            let (device_id, name) = (device_id.into(), name.clone());
            Some(StreamItem::DeviceAdded(DeviceAdded { device_id, name }))
        }
        Ok(Fact::Account(AccountEvent::DeviceRemoved { device_id })) => {
            Some(StreamItem::DeviceRemoved(DeviceRemoved { device_id: device_id.into() }))
        }
        _ => None,
    }
}
