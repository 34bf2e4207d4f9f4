//! Rooms that were closed to the viewer.

use async_graphql::{Context, Enum, Result, SimpleObject};
use rookery_domain::{AccountEvent, AliasEvent, ElsewhereEnd, Fact, OwnedRoomId, Pdu, RoomId};
use rookery_log::StreamKind;
use rookery_projection::Committed;
use rookery_view::{ClosedRoom, Closing};

use crate::{
    context::{app, session},
    types::{
        errors::fault::Fault,
        users::user::User,
        values::{
            connection::connection,
            scalars::{EventIdScalar, RoomIdScalar},
        },
    },
};

/// The way in which a room was closed to you.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "Closing")]
pub enum ClosingReason {
    /// You left.
    Left,
    /// Another user removed you.
    Kicked,
    /// Another user banned you.
    Banned,
    /// You declined the invite, or withdrew the knock.
    Declined,
    /// Another user withdrew the invite, or refused the knock.
    Withdrawn,
    /// State resolution found that you were never validly in the room.
    Resolved,
    /// Your service does not follow the room any more: no member, no alias and not the room itself
    /// is in one of its namespaces.
    Unfollowed,
}

/// You cannot see later events of a room.
#[derive(Clone, SimpleObject)]
pub struct RoomClosed {
    /// The room.
    room_id: RoomIdScalar,
    /// The way in which it was closed.
    closing_reason: ClosingReason,
    /// The event that closed it, or whose arrival did. Null if an alias that was removed or given to
    /// another room did, and for a room that this server is not in.
    closing_event_id: Option<EventIdScalar>,
    /// Its sender, or the user who changed the alias.
    by: User,
}

impl RoomClosed {
    /// Reads the events that closed rooms, all at once.
    pub async fn read(context: &Context<'_>, closed: &[ClosedRoom]) -> Result<Vec<Self>> {
        let viewer = session(context).viewer()?;
        let positions = closed.iter().map(|closed| closed.change.position).collect();
        let commits = app(context).models.commits(positions).await;
        let commits = commits.map_err(|error| Fault::unavailable(&error.to_string()))?;
        let read = |closed: &ClosedRoom| {
            let committed = commits.get(&closed.change.position)?;
            if committed.kind == Some(StreamKind::Alias) {
                return Self::by_alias(committed, closed.room_id.clone());
            }
            if committed.kind == Some(StreamKind::User) {
                return Self::elsewhere(committed, &closed.room_id);
            }
            let index = closed.change.sequence.checked_sub(committed.first_sequence)?;
            let pdu = &committed.room_event(usize::try_from(index).ok()?)?.pdu;
            if closed.by_following {
                return Some(Self::new(pdu, Closing::Unfollowed));
            }
            let by_self = pdu.sender == viewer;
            let how = Closing::of(closed.before, closed.change.membership, by_self)?;
            Some(Self::new(pdu, how))
        };
        Ok(closed.iter().filter_map(read).collect())
    }

    /// The room.
    pub fn matrix_id(&self) -> &RoomId {
        &self.room_id.0
    }

    /// The room that the member event `pdu` closed, or whose arrival did.
    pub fn new(pdu: &Pdu, how: Closing) -> Self {
        Self {
            room_id: RoomIdScalar(pdu.room_id.clone()),
            closing_reason: how.into(),
            closing_event_id: Some(EventIdScalar(pdu.event_id.clone())),
            by: User::in_room(pdu.sender.clone(), pdu.room_id.clone()),
        }
    }

    /// The room elsewhere to which an invite, or a request to join, ended in a commit of the user.
    pub fn elsewhere(committed: &Committed, room: &RoomId) -> Option<Self> {
        let ended = committed.facts.iter().flatten().find_map(|fact| match fact {
            Fact::Account(AccountEvent::ElsewhereEnded { room_id, how, by }) if room_id == room => {
                Some((*how, by.clone()))
            }
            _ => None,
        });
        let (how, by) = ended?;
        Some(Self {
            room_id: RoomIdScalar(room.to_owned()),
            closing_reason: match how {
                ElsewhereEnd::Declined => ClosingReason::Declined,
                ElsewhereEnd::Withdrawn => ClosingReason::Withdrawn,
                ElsewhereEnd::Banned => ClosingReason::Banned,
            },
            closing_event_id: None,
            by: User::new(by),
        })
    }

    /// The room that the commit of an alias closed to a service.
    pub fn by_alias(committed: &Committed, room: OwnedRoomId) -> Option<Self> {
        let by = committed.facts.iter().flatten().find_map(|fact| match fact {
            Fact::Alias(AliasEvent::Claimed { by, .. } | AliasEvent::Released { by, .. }) => {
                Some(by)
            }
            _ => None,
        })?;
        Some(Self {
            by: User::in_room(by.clone(), room.clone()),
            room_id: RoomIdScalar(room),
            closing_reason: ClosingReason::Unfollowed,
            closing_event_id: None,
        })
    }
}

connection!(RoomClosedConnection, RoomClosedEdge, RoomClosed, "A page of closed rooms.");
