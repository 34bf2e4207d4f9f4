//! The users that a commit concerns.

use rookery_domain::{Membership, OwnedUserId, RoomEvent, TimelineEventType, UserId};
use rookery_log::{StreamId, StreamKind};
use rookery_projection::Committed;

/// The type of member events.
const MEMBER: &str = "m.room.member";

/// A user, with the stream of their account.
#[derive(Clone, Debug)]
pub(crate) struct Own {
    pub(crate) user: OwnedUserId,
    pub(crate) stream: StreamId,
}

impl Own {
    pub(crate) fn new(user: &UserId) -> Self {
        let stream = StreamId::new(StreamKind::User, user.as_str());
        Self { user: user.to_owned(), stream }
    }
}

/// The users of the member events in a commit, and the users whose memberships it may change: none
/// for most commits. A user may come twice.
pub(crate) fn about(committed: &Committed) -> impl Iterator<Item = &str> {
    committed.room_events().flat_map(|(_, event)| own_event(event).into_iter().chain(slots(event)))
}

/// The user of a member event, whatever its status is.
fn own_event(event: &RoomEvent) -> Option<&str> {
    let is_member = event.pdu.kind == TimelineEventType::RoomMember;
    event.pdu.state_key.as_deref().filter(|_| is_member)
}

/// The users whose memberships the event changes, by itself or through state resolution.
fn slots(event: &RoomEvent) -> impl Iterator<Item = &str> {
    // Without a state key and a state field of the envelope nothing changes, and nothing is copied.
    let may = event.pdu.state_key.is_some() || event.envelope.state.is_some();
    let changes = may.then(|| event.state_changes()).into_iter().flatten();
    changes.filter(|change| change.kind == MEMBER).map(|change| change.state_key)
}

/// The membership of `user` after `committed`, from `before`.
pub(crate) fn membership_after(
    user: &UserId,
    committed: &Committed,
    before: Membership,
) -> Membership {
    let changes = committed.room_events().flat_map(|(_, event)| event.state_changes());
    let own = changes.filter(|change| change.kind == MEMBER && change.state_key == user.as_str());
    let last = own.last();
    last.map_or(before, |change| {
        change.holder.map(|holder| Membership::of(holder.pdu)).unwrap_or_default()
    })
}
