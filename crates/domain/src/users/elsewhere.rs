//! Rooms of other servers, as far as a user of this one has to do with them before this server is in
//! the room: actions that other servers have to answer, invites, requests to join.
//!
//! **Invariant:** an action that has begun ends once: done or refused.
//! **Invariant:** a user has at most one standing in a room elsewhere. The bounds of
//! [`Bound`](crate::Bound) hold for them.

use std::collections::{BTreeMap, BTreeSet};

use ruma_common::{
    OwnedEventId, OwnedRoomId, OwnedRoomOrAliasId, OwnedServerName, OwnedUserId, RoomId,
    RoomVersionId,
};
use serde::{Deserialize, Serialize};

use crate::{AccountEvent, Bound, InvitePreview, Membership, Rejection};

/// How many ended standings are remembered, so that a client that was away learns of them.
const CLOSED_KEPT: usize = 500;

/// The wish of a user for which other servers have to answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "asked", rename_all = "snake_case")]
pub enum RemoteAsk {
    /// To join a room.
    Join {
        /// The room, or an alias of it.
        room: OwnedRoomOrAliasId,
        /// Servers that may be in the room, the best first.
        via: Vec<OwnedServerName>,
        /// The reason, shown to the others.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
    /// To be invited to a room.
    Knock {
        /// The room, or an alias of it.
        room: OwnedRoomOrAliasId,
        /// Servers that may be in the room, the best first.
        via: Vec<OwnedServerName>,
        /// The reason, shown to the members.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
    /// To decline an invite, or to withdraw a request to join. It has an effect here at once.
    Leave {
        /// The room.
        room_id: OwnedRoomId,
        /// Servers that are in the room.
        via: Vec<OwnedServerName>,
        /// The reason, shown to the members.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
    /// To invite a user of another server.
    Invite {
        /// The room, which is here.
        room_id: OwnedRoomId,
        /// The user.
        user_id: OwnedUserId,
        /// The invite is to a direct conversation.
        #[serde(default)]
        is_direct: bool,
        /// The reason, shown to the user.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
}

/// An action of a user that other servers have to answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RemoteAction {
    /// Its ID.
    pub id: String,
    /// The device that began it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<String>,
    /// The device's number for the action.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub action: Option<u64>,
    /// The wish of the user.
    pub ask: RemoteAsk,
}

/// How an action that other servers had to answer has ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "result", rename_all = "snake_case")]
pub enum RemoteOutcome {
    /// It has its effect.
    Done {
        /// The room.
        room_id: OwnedRoomId,
        /// The event that it made in a room that is here.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        event_id: Option<OwnedEventId>,
        /// The number of the commit of that event, or of one at which the effect held.
        position: u64,
    },
    /// It has no effect.
    Refused {
        /// The code of the rule.
        code: String,
        /// The reason, for the user.
        message: String,
    },
}

impl From<&Rejection> for RemoteOutcome {
    fn from(rejection: &Rejection) -> Self {
        Self::Refused { code: rejection.code().to_owned(), message: rejection.to_string() }
    }
}

/// An invite to a room that is not here, or a request to join one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Elsewhere {
    /// [`Membership::Invite`] or [`Membership::Knock`].
    pub membership: Membership,
    /// The known data of the room, and the user who invites; for a request to join, the user.
    pub preview: InvitePreview,
    /// The membership event.
    pub event_id: OwnedEventId,
    /// When it was sent, in milliseconds since 1970, according to its server.
    pub sent: u64,
    /// The version of the room.
    pub version: RoomVersionId,
    /// Servers that are in the room, the best first.
    pub via: Vec<OwnedServerName>,
}

/// The way in which a standing in a room elsewhere ended without a join.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ElsewhereEnd {
    /// The user declined the invite, or withdrew the request to join.
    Declined,
    /// Another user withdrew the invite, or refused the request to join.
    Withdrawn,
    /// Another user banned the user.
    Banned,
}

/// A standing, with the number of the commit since which it holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ElsewhereSince {
    /// The standing.
    pub standing: Elsewhere,
    /// The commit.
    pub since: u64,
}

/// The end of a standing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ElsewhereClosed {
    /// Since when the standing held.
    pub since: u64,
    /// The number of the commit that ended it.
    pub at: u64,
    /// How.
    pub how: ElsewhereEnd,
    /// The user who ended it.
    pub by: OwnedUserId,
}

/// The standings of a user in rooms elsewhere, and their actions that have not ended.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoomsElsewhere {
    rooms: BTreeMap<OwnedRoomId, ElsewhereSince>,
    closed: BTreeMap<OwnedRoomId, ElsewhereClosed>,
    begun: BTreeSet<String>,
}

impl RoomsElsewhere {
    /// The standing in a room.
    #[must_use]
    pub fn get(&self, room: &RoomId) -> Option<&ElsewhereSince> {
        self.rooms.get(room)
    }

    /// The standings, by room.
    pub fn iter(&self) -> impl Iterator<Item = (&RoomId, &ElsewhereSince)> {
        self.rooms.iter().map(|(room, standing)| (&**room, standing))
    }

    /// The ended standings that are remembered, by room.
    pub fn closed(&self) -> impl Iterator<Item = (&RoomId, &ElsewhereClosed)> {
        self.closed.iter().map(|(room, closed)| (&**room, closed))
    }

    /// How many standings there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rooms.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rooms.is_empty()
    }

    /// Refuses one more action that other servers have to answer, if too many have not ended.
    ///
    /// # Errors
    /// [`Rejection::Bound`].
    pub fn may_begin(&self) -> Result<(), Rejection> {
        Bound::RemoteActions.admit(self.begun.len())
    }

    /// Refuses one more standing of this membership, if there are too many.
    ///
    /// # Errors
    /// [`Rejection::Bound`].
    pub fn admit(&self, membership: Membership) -> Result<(), Rejection> {
        let alike = self.rooms.values().filter(|it| it.standing.membership == membership);
        let bound = if membership == Membership::Knock { Bound::Knocks } else { Bound::Invites };
        bound.admit(alike.count())
    }

    /// Folds an event of the user's stream. `at` is the number of its commit.
    pub fn evolve(&mut self, event: &AccountEvent, at: u64) {
        match event {
            AccountEvent::RemoteBegun { action } => {
                self.begun.insert(action.id.clone());
            }
            AccountEvent::RemoteEnded { action, outcome } => {
                self.begun.remove(&action.id);
                if let (RemoteAsk::Join { .. }, RemoteOutcome::Done { room_id, .. }) =
                    (&action.ask, outcome)
                {
                    self.rooms.remove(room_id);
                }
            }
            AccountEvent::ElsewhereChanged { standing } => {
                let room = standing.preview.room_id.clone();
                self.closed.remove(&room);
                let standing = Elsewhere::clone(standing);
                self.rooms.insert(room, ElsewhereSince { standing, since: at });
            }
            AccountEvent::ElsewhereEnded { room_id, how, by } => {
                let Some(ended) = self.rooms.remove(room_id) else { return };
                while self.closed.len() >= CLOSED_KEPT {
                    let oldest = self.closed.iter().min_by_key(|(_, closed)| closed.at);
                    let Some(oldest) = oldest.map(|(room, _)| room.clone()) else { break };
                    self.closed.remove(&oldest);
                }
                let closed = ElsewhereClosed { since: ended.since, at, how: *how, by: by.clone() };
                self.closed.insert(room_id.clone(), closed);
            }
            _ => {}
        }
    }
}
