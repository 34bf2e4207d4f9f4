//! Visibility of one room for one viewer.
//!
//! **Invariant:** the rules of `domain` decide, by the viewer's membership and the room's setting at
//! the event, never by those at the time of the request.
//! **Invariant:** for an event that was fetched after events that follow it, these are those of the room's graph.
//! **Invariant:** nothing is visible where these are not known, because a model has parked the
//! room.
//! **Invariant:** the cost of a sight does not depend on the length of the histories: it borrows
//! them.

use rookery_domain::{Histories, HistoryVisibility, OwnedUserId, PastEvents, UserId, visible};
use rookery_projection::{MembershipChange, VisibilityChange};

use crate::RoomView;

/// The viewer of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Viewer {
    /// The server itself, which sees everything, for exports and administration.
    Server,
    /// A user.
    User(OwnedUserId),
}

/// The histories that decide visibility for a viewer, from the models at one checkpoint.
#[derive(Clone, Copy, Debug)]
pub struct Sight<'a> {
    all: bool,
    /// The last event that the histories cover, if a model has parked the room.
    horizon: Option<u64>,
    /// The viewer, if they are or were a member.
    viewer: Option<&'a UserId>,
    past: &'a PastEvents,
    histories: Histories<'a, MembershipChange, VisibilityChange>,
}

impl<'a> RoomView<'a> {
    /// The history visibility after the event with this sequence.
    #[must_use]
    pub fn history_visibility_at(&self, sequence: u64) -> HistoryVisibility {
        if let Some(past) = self.summary().past.visibility(sequence) {
            return past;
        }
        let history = &self.summary().visibility;
        let end = history.partition_point(|change| change.sequence <= sequence);
        end.checked_sub(1).map(|last| history[last].setting).unwrap_or_default()
    }

    /// The events and settings of the room that `viewer` may see.
    #[must_use]
    pub fn sight(&self, viewer: &Viewer) -> Sight<'a> {
        let (models, key) = self.models();
        let membership = match viewer {
            Viewer::Server => &[],
            Viewer::User(user) => self.history(user),
        };
        let members = models.members(key);
        let user = match viewer {
            Viewer::Server => None,
            Viewer::User(user) => members.and_then(|members| members.id_of(user)),
        };
        let (all, summary) = (*viewer == Viewer::Server, self.summary());
        let horizon = models.horizon(key);
        Sight::new(all, horizon, (user, membership), (&summary.visibility, &summary.past))
    }
}

impl<'a> Sight<'a> {
    /// The sight of a user with this membership history in a room with that history of settings.
    pub(crate) fn new(
        all: bool,
        horizon: Option<u64>,
        (viewer, membership): (Option<&'a UserId>, &'a [MembershipChange]),
        (visibility, past): (&'a [VisibilityChange], &'a PastEvents),
    ) -> Self {
        let histories = Histories::new(membership, visibility);
        Self { all, horizon, viewer, past, histories }
    }

    /// Whether the viewer may see the event with this sequence number.
    #[must_use]
    pub fn sees(&self, sequence: u64) -> bool {
        if self.all {
            return true;
        }
        if self.horizon.is_some_and(|horizon| sequence > horizon) {
            return false;
        }
        match self.past.viewing(sequence, self.viewer) {
            Some((before, at)) => visible(&self.histories.viewing_past(before, &at)),
            None => self.histories.sees(sequence),
        }
    }

    /// Whether the viewer may see the content of the event at `replaced`, whose place in the state
    /// the event at `sequence` took: either as an event, or because the viewer could see the state
    /// until then.
    #[must_use]
    pub fn sees_replaced(&self, sequence: u64, replaced: u64) -> bool {
        if self.sees(replaced) {
            return true;
        }
        if self.horizon.is_some_and(|horizon| sequence > horizon) {
            return false;
        }
        self.histories.saw_state_before(sequence)
    }
}
