//! Visibility of a room's events: one pure function, and the histories that it reads.
//!
//! **Invariant:** nothing else decides this; queries, streams, counts and previews ask here.
//! **Invariant:** visibility depends only on the room's own events.
//!
//! Source: Matrix client-server specification, "Room history visibility". It is stricter in one
//! point: an invited user sees only the invite until they join.

use serde::{Deserialize, Serialize};

use crate::{HistoryVisibility, Membership, Pdu, UserId};

/// The users who see a profile, beside members of a room that shows it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ProfileAudience {
    /// Every user of this server who asks for the user by ID.
    #[default]
    Users,
    /// Users who share a room with the user.
    SharedRooms,
}

/// The relation of one viewer to one event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Viewing {
    /// The event is the viewer's own `m.room.member` event, such as their invite, kick or ban.
    pub own_membership: bool,
    /// The viewer's membership at the event.
    pub membership: Membership,
    /// The viewer joined after the event.
    pub joined_later: bool,
    /// The room's setting at the event. For an event that changes the setting, the more open of the
    /// old and the new one.
    pub visibility: HistoryVisibility,
}

/// Whether the viewer may see the event.
#[must_use]
pub fn visible(viewing: &Viewing) -> bool {
    if viewing.own_membership || viewing.membership == Membership::Join {
        return true;
    }
    match viewing.visibility {
        HistoryVisibility::WorldReadable => true,
        HistoryVisibility::Shared => viewing.joined_later,
        HistoryVisibility::Invited => {
            viewing.membership == Membership::Invite && viewing.joined_later
        }
        HistoryVisibility::Joined => false,
    }
}

/// Whether the viewer may see the room as it is now: its name, members and settings.
///
/// A user who left sees the room as it was when they left. The caller looks that up.
#[must_use]
pub fn sees_state(membership: Membership, visibility: HistoryVisibility) -> bool {
    membership == Membership::Join || visibility == HistoryVisibility::WorldReadable
}

/// Whether the event is the viewer's own member event.
#[must_use]
pub fn is_own_membership(event: &Pdu, viewer: &UserId) -> bool {
    event.kind == ruma_events::TimelineEventType::RoomMember
        && event.state_key.as_deref() == Some(viewer.as_str())
}

/// A setting over a room's sequence: each value with the sequence of the event that set it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct History<T> {
    steps: Vec<(u64, T)>,
}

/// The membership of a user, over the room's sequence.
pub type MembershipHistory = History<Membership>;

/// The history visibility of a room, over the room's sequence.
pub type VisibilityHistory = History<HistoryVisibility>;

impl<T: Copy + PartialEq> History<T> {
    /// Records that the event at `sequence` set the value. A value that changes nothing takes no
    /// memory. A sequence that is not above the last one is ignored, so recording the same events
    /// again changes nothing.
    pub fn push(&mut self, sequence: u64, value: T) {
        match self.steps.last() {
            Some((last, current)) if sequence <= *last || value == *current => {}
            _ => self.steps.push((sequence, value)),
        }
    }

    /// The value after the event at `sequence`.
    #[must_use]
    pub fn at(&self, sequence: u64) -> Option<T> {
        let after = self.steps.partition_point(|(step, _)| *step <= sequence);
        self.steps[..after].last().map(|(_, value)| *value)
    }

    /// The value before the event at `sequence`.
    #[must_use]
    pub fn before(&self, sequence: u64) -> Option<T> {
        sequence.checked_sub(1).and_then(|previous| self.at(previous))
    }

    /// The value now.
    #[must_use]
    pub fn last(&self) -> Option<T> {
        self.steps.last().map(|(_, value)| *value)
    }

    /// The changes, oldest first.
    #[must_use]
    pub fn steps(&self) -> &[(u64, T)] {
        &self.steps
    }
}

impl<T: Copy + PartialEq> FromIterator<(u64, T)> for History<T> {
    fn from_iter<I: IntoIterator<Item = (u64, T)>>(steps: I) -> Self {
        let mut history = Self { steps: Vec::new() };
        steps.into_iter().for_each(|(sequence, value)| history.push(sequence, value));
        history
    }
}

impl MembershipHistory {
    /// Whether the user was joined at the event at `sequence`: such events reach the user live.
    #[must_use]
    pub fn joined_at(&self, sequence: u64) -> bool {
        self.at(sequence) == Some(Membership::Join)
    }

    /// Whether the user joined after `sequence`.
    #[must_use]
    pub fn joins_after(&self, sequence: u64) -> bool {
        let joins = self.steps.iter().rev().find(|(_, value)| *value == Membership::Join);
        joins.is_some_and(|(step, _)| *step > sequence)
    }

    /// The sequence of the event by which the user last joined, if they are joined now.
    #[must_use]
    pub fn joined_since(&self) -> Option<u64> {
        self.steps.last().filter(|(_, value)| *value == Membership::Join).map(|(step, _)| *step)
    }
}

/// The relation of a viewer to the event at `sequence`.
///
/// `memberships` is the viewer's, `settings` the room's; `own_membership` says whether the event is
/// the viewer's own member event ([`is_own_membership`]).
#[must_use]
pub fn viewing_at(
    memberships: &MembershipHistory,
    settings: &VisibilityHistory,
    sequence: u64,
    own_membership: bool,
) -> Viewing {
    let (old, new) = (settings.before(sequence), settings.at(sequence));
    Viewing {
        own_membership,
        membership: memberships.at(sequence).unwrap_or_default(),
        joined_later: memberships.joins_after(sequence),
        visibility: old.unwrap_or_default().max(new.unwrap_or_default()),
    }
}

/// Whether the viewer may see the event at `sequence`: [`visible`] of [`viewing_at`].
#[must_use]
pub fn visible_at(
    memberships: &MembershipHistory,
    settings: &VisibilityHistory,
    sequence: u64,
    own_membership: bool,
) -> bool {
    visible(&viewing_at(memberships, settings, sequence, own_membership))
}
