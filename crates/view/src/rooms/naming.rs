//! The name that a client shows for a room without a name.
//!
//! Source: Matrix client-server specification, "Calculating the display name for a room".

use rookery_domain::{Membership, RoomId, UserId};
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
}

fn names(room: &RoomView<'_>, viewer: &UserId) -> Option<String> {
    let is_there =
        |member: &Member| matches!(member.membership, Membership::Join | Membership::Invite);
    let others = room.members().take(LOOKED_MAX);
    let mut others = others.filter(|(user, member)| ***user != *viewer && is_there(member));
    let named: Vec<_> =
        others.by_ref().take(NAMED_MAX).map(|(user, member)| shown(user, member)).collect();
    let name = named.join(", ");
    let more = others.next().is_some();
    (!name.is_empty()).then(|| if more { format!("{name}, …") } else { name })
}

fn shown(user: &UserId, member: &Member) -> String {
    member.displayname.as_deref().map_or_else(|| user.localpart().to_owned(), ToOwned::to_owned)
}
