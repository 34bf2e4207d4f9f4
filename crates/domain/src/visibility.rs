//! Visibility of a room's events: one pure function, and the histories that it reads.
//!
//! **Invariant:** nothing else decides this; queries, streams, counts and previews ask here.
//! **Invariant:** visibility depends only on the room's own events.
//!
//! Source: Matrix client-server specification, "Room history visibility". It is stricter in one
//! point: an invited user sees only the invite until they join.

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
    user_of_member_event(event) == Some(viewer)
}

/// The user of a member event. `None` if the state key is not a user ID.
#[must_use]
pub fn user_of_member_event(event: &Pdu) -> Option<&UserId> {
    let is_member = event.kind == ruma_events::TimelineEventType::RoomMember;
    event.state_key.as_deref().filter(|_| is_member)?.try_into().ok()
}

/// The relation of a viewer to an event whose place in the log says nothing of its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PastViewing {
    /// As in [`Viewing`].
    pub own_membership: bool,
    /// The viewer's membership at the event, in the room's graph.
    pub membership: Membership,
    /// The room's setting at the event, in the room's graph.
    pub visibility: HistoryVisibility,
}

/// A change of a value in a room.
pub trait Change<T> {
    /// The sequence of the event that made it.
    fn sequence(&self) -> u64;

    /// The value from that event on.
    fn value(&self) -> T;
}

/// A change of a user's membership, or a member event of the user that changes nothing.
pub trait MembershipStep: Change<Membership> {
    /// Whether the event is the user's own `m.room.member` event ([`is_own_membership`]).
    fn is_own(&self) -> bool;
}

/// The histories that decide which events of a room a viewer sees: the viewer's membership and the room's
/// setting, over the room's sequence.
///
/// It borrows both histories, so its cost does not depend on their length. They are in order of
/// arrival. A history of memberships may leave out the viewer's own events between joined and
/// joined: these are visible in any case.
#[derive(Debug)]
pub struct Histories<'a, M, V> {
    memberships: &'a [M],
    settings: &'a [V],
    /// How many steps there are up to the last join; 0 if there is none.
    joins_end: usize,
}

impl<M, V> Clone for Histories<'_, M, V> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<M, V> Copy for Histories<'_, M, V> {}

impl<'a, M: MembershipStep, V: Change<HistoryVisibility>> Histories<'a, M, V> {
    /// The histories of the viewer's membership and of the room's setting.
    #[must_use]
    pub fn new(memberships: &'a [M], settings: &'a [V]) -> Self {
        let last = memberships.iter().rposition(|step| step.value() == Membership::Join);
        Self { memberships, settings, joins_end: last.map_or(0, |last| last + 1) }
    }

    /// Whether the viewer may see the event at `sequence`: [`visible`] of [`Self::viewing_at`].
    #[must_use]
    pub fn sees(&self, sequence: u64) -> bool {
        visible(&self.viewing_at(sequence))
    }

    /// The relation of the viewer to the event at `sequence`.
    #[must_use]
    pub fn viewing_at(&self, sequence: u64) -> Viewing {
        let after = self.memberships.partition_point(|step| step.sequence() <= sequence);
        let at = after.checked_sub(1).map(|last| &self.memberships[last]);
        Viewing {
            own_membership: at.is_some_and(|step| step.sequence() == sequence && step.is_own()),
            membership: at.map(Change::value).unwrap_or_default(),
            joined_later: after < self.joins_end,
            visibility: before(self.settings, sequence).max(until(self.settings, sequence)),
        }
    }

    /// The relation of the viewer to an event that was fetched after the one at `before`, which
    /// follows it.
    #[must_use]
    pub fn viewing_past(&self, before: u64, at: &PastViewing) -> Viewing {
        let after = self.memberships.partition_point(|step| step.sequence() <= before);
        let then: Membership = last(self.memberships, after);
        Viewing {
            own_membership: at.own_membership,
            membership: at.membership,
            joined_later: then == Membership::Join || after < self.joins_end,
            visibility: at.visibility,
        }
    }

    /// Whether the viewer could see the state of the room before the event at `sequence`.
    #[must_use]
    pub fn saw_state_before(&self, sequence: u64) -> bool {
        sees_state(before(self.memberships, sequence), before(self.settings, sequence))
    }
}

/// The value before the event at `sequence`.
fn before<T: Default, C: Change<T>>(history: &[C], sequence: u64) -> T {
    last(history, history.partition_point(|change| change.sequence() < sequence))
}

/// The value after the event at `sequence`.
fn until<T: Default, C: Change<T>>(history: &[C], sequence: u64) -> T {
    last(history, history.partition_point(|change| change.sequence() <= sequence))
}

/// The value after this many changes.
fn last<T: Default, C: Change<T>>(history: &[C], changes: usize) -> T {
    changes.checked_sub(1).map(|last| history[last].value()).unwrap_or_default()
}
