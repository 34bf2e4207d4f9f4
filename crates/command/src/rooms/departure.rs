//! The rooms of a user whose account closes for good: the user leaves them, and hands over those that nobody else could lead.
//!
//! **Invariant:** a refusal changes no room: all rooms are looked at before the first one changes.

use futures_util::future::BoxFuture;
use rookery_domain::{Membership, OwnedRoomId, OwnedUserId, Room, RoomCommand, UserId};

use crate::{Actor, Commands, HandleError, Retry, users::profile::unless_gone};

/// How many rooms are left at once.
const UNDER_WAY_MAX: usize = 256;

/// How many rooms a message names.
const NAMED_MAX: usize = 20;

/// Why a user cannot go. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum DepartureError {
    /// Nobody else could change the power levels of these rooms: name a successor.
    #[error(
        "nobody but {user} can change the power levels of these rooms, and others are in them: {}",
        listed(.rooms)
    )]
    NoSuccessor {
        /// The user who is about to go.
        user: OwnedUserId,
        /// The rooms.
        rooms: Vec<OwnedRoomId>,
    },
    /// The successor is no other member of these rooms: let the successor join them, or name somebody else.
    #[error("{successor} has to be another member of these rooms to take them over: {}", listed(.rooms))]
    NotAMember {
        /// The user who was named.
        successor: OwnedUserId,
        /// The rooms.
        rooms: Vec<OwnedRoomId>,
    },
    /// A room could not be read.
    #[error(transparent)]
    Handle(#[from] HandleError),
}

fn listed(rooms: &[OwnedRoomId]) -> String {
    let named: Vec<_> = rooms.iter().take(NAMED_MAX).map(|room| room.as_str()).collect();
    let more = rooms.len().saturating_sub(NAMED_MAX);
    let end = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("{}{end}", named.join(", "))
}

/// Which rooms a user leaves, and to whom.
#[derive(Debug)]
pub struct Departure {
    /// The rooms that the successor leads from then on.
    pub handed_over: Vec<OwnedRoomId>,
    /// The rooms in which the user stays a member, because nobody could lead them otherwise.
    pub headless: Vec<OwnedRoomId>,
    /// The other rooms.
    left: Vec<OwnedRoomId>,
    successor: Option<OwnedUserId>,
}

impl Commands {
    /// Looks at the rooms of the actor before the actor's account closes. `successor` takes over the rooms that nobody
    /// else could lead; with `leave_headless` these rooms stay as they are.
    ///
    /// # Errors
    /// [`DepartureError`], which names the rooms.
    pub fn plan_departure<'a>(
        &'a self,
        actor: &'a Actor,
        successor: Option<&'a UserId>,
        leave_headless: bool,
    ) -> BoxFuture<'a, Result<Departure, DepartureError>> {
        Box::pin(async move {
            let tail = *self.core.log.tail().borrow();
            let joined = self.memberships.joined_rooms(&actor.user, tail).await;
            let (mut left, mut alone, mut not_there) = (Vec::new(), Vec::new(), Vec::new());
            for room_id in joined.map_err(HandleError::from)? {
                let stream_state = self.rooms.state_of(room_id.as_str());
                let look = |room: Option<&Room>| {
                    let depends = room.is_some_and(|room| room.depends_on(&actor.user));
                    let follows = |next: &UserId| {
                        *next != actor.user
                            && room.is_some_and(|room| room.membership(next) == Membership::Join)
                    };
                    (depends, successor.is_some_and(follows))
                };
                match self.core.read_state(&self.rooms, &stream_state, look).await? {
                    (false, _) => left.push(room_id),
                    (true, false) if successor.is_some() => not_there.push(room_id),
                    (true, _) => alone.push(room_id),
                }
            }
            if let Some(successor) = successor.filter(|_| !not_there.is_empty()) {
                let successor = successor.to_owned();
                return Err(DepartureError::NotAMember { successor, rooms: not_there });
            }
            let successor = successor.map(ToOwned::to_owned);
            let (handed_over, headless) = match successor {
                Some(_) => (alone, Vec::new()),
                None if leave_headless || alone.is_empty() => (Vec::new(), alone),
                None => {
                    let user = actor.user.clone();
                    return Err(DepartureError::NoSuccessor { user, rooms: alone });
                }
            };
            Ok(Departure { handed_over, headless, left, successor })
        })
    }

    /// Carries the departure out. A room that the user has left stays as it is, so it can be planned and carried out again.
    ///
    /// # Errors
    /// [`HandleError`]: the rooms before it are left.
    pub fn depart<'a>(
        &'a self,
        actor: &'a Actor,
        departure: &'a Departure,
    ) -> BoxFuture<'a, Result<(), HandleError>> {
        Box::pin(async move {
            for (rooms, successor) in
                [(&departure.handed_over, departure.successor.clone()), (&departure.left, None)]
            {
                let command = RoomCommand::Leave { reason: None, successor };
                for rooms in rooms.chunks(UNDER_WAY_MAX) {
                    self.leave_all(actor, rooms, &command).await?;
                }
            }
            Ok(())
        })
    }

    /// Leaves rooms with one wait for the disk.
    async fn leave_all(
        &self,
        actor: &Actor,
        rooms: &[OwnedRoomId],
        command: &RoomCommand,
    ) -> Result<(), HandleError> {
        let mut started = Vec::with_capacity(rooms.len());
        for room in rooms {
            let start = self.start(actor, room, command, Retry::Unnamed).await;
            started.extend(unless_gone(start)?.map(|start| (start, room)));
        }
        for (start, room) in started {
            match self.finish(start).await {
                // Another gateway wrote to the room at the same time.
                Err(HandleError::Contended { .. }) => {
                    unless_gone(
                        self.in_room_unnumbered(actor, room, command, Retry::Unnamed).await,
                    )?;
                }
                outcome => drop(unless_gone(outcome)?),
            }
        }
        Ok(())
    }
}
