//! Who may see which event of a room: one pure function, and the histories that feed it.
//!
//! **Invariant:** nothing else in the house decides this; queries, streams, counts and previews ask
//! here.
//! **Invariant:** what a viewer may see never depends on anything but the room's own events.
//!
//! Source: Matrix client-server specification, "Room history visibility"; stricter in one point:
//! who is invited sees nothing but the invite until she joins.

use serde::{Deserialize, Serialize};

use crate::{HistoryVisibility, Membership, Pdu, UserId};

/// The users who see a profile, beside those whom a room shows it to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ProfileAudience {
    /// Every user of this server who names the user.
    #[default]
    Users,
    /// Users who share a room with the user.
    SharedRooms,
}

/// How one event and one viewer stand to each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Viewing {
    /// The event is the viewer's own `m.room.member` event: her invite, kick or ban, say.
    pub own_membership: bool,
    /// What the viewer was to the room at the event.
    pub membership: Membership,
    /// The viewer joined at some place after the event.
    pub joined_later: bool,
    /// The room's setting at the event. Of an event that changes the setting, the more open of
    /// the old and the new one.
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
/// Who left sees it as it was when she left, which is for the caller to find.
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

/// What a user was to a room, over the room's sequence.
pub type MembershipHistory = History<Membership>;

/// Who might read a room's history, over the room's sequence.
pub type VisibilityHistory = History<HistoryVisibility>;

impl<T: Copy + PartialEq> History<T> {
    /// Notes that the event at `sequence` set the value. Values that change nothing take no room;
    /// what was noted before, or comes after something later, is left out, so that noting the
    /// same events again changes nothing.
    pub fn push(&mut self, sequence: u64, value: T) {
        match self.steps.last() {
            Some((last, current)) if sequence <= *last || value == *current => {}
            _ => self.steps.push((sequence, value)),
        }
    }

    /// The value that the event at `sequence` left.
    #[must_use]
    pub fn at(&self, sequence: u64) -> Option<T> {
        let after = self.steps.partition_point(|(step, _)| *step <= sequence);
        self.steps[..after].last().map(|(_, value)| *value)
    }

    /// The value that the event at `sequence` found.
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
    /// Whether the user was joined when the event at `sequence` came: such events reach her live.
    #[must_use]
    pub fn joined_at(&self, sequence: u64) -> bool {
        self.at(sequence) == Some(Membership::Join)
    }

    /// Whether the user joined at some place after `sequence`.
    #[must_use]
    pub fn joins_after(&self, sequence: u64) -> bool {
        let joins = self.steps.iter().rev().find(|(_, value)| *value == Membership::Join);
        joins.is_some_and(|(step, _)| *step > sequence)
    }

    /// The sequence of the event by which the user last joined, if she is joined now.
    #[must_use]
    pub fn joined_since(&self) -> Option<u64> {
        self.steps.last().filter(|(_, value)| *value == Membership::Join).map(|(step, _)| *step)
    }
}

/// How the event at `sequence` and a viewer stand to each other.
///
/// `memberships` is the viewer's, `settings` the room's; `own_membership` says whether the event
/// is the viewer's own member event ([`is_own_membership`]).
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
