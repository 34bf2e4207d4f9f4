//! The name that a client shows for a room without a name, and the other user of a conversation of two.
//!
//! Source: Matrix client-server specification, "Calculating the display name for a room".

use rookery_domain::{Membership, OwnedUserId, RoomId, UserId};
use rookery_projection::Member;

use super::RoomView;
use crate::{Access, Meter, TimelineError, View};

/// Members that the name of a room without a name lists.
const NAMED_MAX: usize = 3;

/// Members that are looked at for it.
const LOOKED_MAX: usize = 100;

impl View<'_> {
    /// The names of other members of the room; `None` if the viewer may not see them, or if there
    /// are none. An invited user knows the inviter alone.
    ///
    /// # Errors
    /// [`TimelineError::Exhausted`] if the budget of the request is used up.
    pub fn named_by_members(
        &self,
        room: &RoomId,
        viewer: &UserId,
        meter: &dyn Meter,
    ) -> Result<Option<String>, TimelineError> {
        meter.take_rows(LOOKED_MAX)?;
        if let Some(elsewhere) = self.elsewhere(room, viewer) {
            let preview = &elsewhere.standing.preview;
            let named = preview.inviter_profile.displayname.clone();
            return Ok(Some(named.unwrap_or_else(|| preview.inviter.to_string())));
        }
        let Some(room) = self.room_for(room, viewer, Access::Outside) else { return Ok(None) };
        if room.access(viewer) >= Access::Inside
            && let Some(named) = names(&room, viewer)
        {
            return Ok(Some(named));
        }
        Ok(room.inviter_of(viewer).map(|inviter| match room.member(inviter) {
            Some(member) => shown(inviter, member),
            None => inviter.to_string(),
        }))
    }

    /// The other user, if exactly one has joined the room or is invited beside the viewer, who has joined. `None` too if
    /// that user is not among the first hundred users who were ever in the room.
    ///
    /// # Errors
    /// [`TimelineError::Exhausted`] if the budget of the request is used up.
    pub fn peer_in(
        &self,
        room: &RoomId,
        viewer: &UserId,
        meter: &dyn Meter,
    ) -> Result<Option<OwnedUserId>, TimelineError> {
        let room = self.room_for(room, viewer, Access::Inside);
        let Some(room) = room.filter(|room| room.joined_count() + room.invited_count() == 2) else {
            return Ok(None);
        };
        meter.take_rows(LOOKED_MAX)?;
        Ok(others(&room, viewer).next().map(|(user, _)| user.clone()))
    }
}

/// The other users who have joined the room or are invited, among the first ones.
fn others<'a>(
    room: &RoomView<'a>,
    viewer: &UserId,
) -> impl Iterator<Item = (&'a OwnedUserId, &'a Member)> {
    let is_there =
        |member: &Member| matches!(member.membership, Membership::Join | Membership::Invite);
    let others = room.members().take(LOOKED_MAX);
    others.filter(move |(user, member)| ***user != *viewer && is_there(member))
}

fn names(room: &RoomView<'_>, viewer: &UserId) -> Option<String> {
    let mut others = others(room, viewer);
    let named: Vec<_> =
        others.by_ref().take(NAMED_MAX).map(|(user, member)| shown(user, member)).collect();
    let name = named.join(", ");
    let more = others.next().is_some();
    (!name.is_empty()).then(|| if more { format!("{name}, …") } else { name })
}

fn shown(user: &UserId, member: &Member) -> String {
    member.displayname.as_deref().map_or_else(|| user.localpart().to_owned(), ToOwned::to_owned)
}
