//! The name that a client shows for a room.
//!
//! Source: Matrix client-server specification, "Calculating the display name for a room".

use async_graphql::{Context, Result};
use rookery_domain::{Membership, UserId};
use rookery_projection::Member;
use rookery_view::RoomView;

use super::room::{Access, Room};
use crate::schema::{context::session, reads::reads};

/// Members that the name of a room without a name lists.
const NAMED_MAX: usize = 3;

/// Members that are looked at for it.
const LOOKED_MAX: usize = 100;

/// The names of other members; `None` if the viewer may not see them, or if there are none.
pub(crate) async fn of_members(context: &Context<'_>, room: &Room) -> Result<Option<String>> {
    let viewer = session(context).viewer()?;
    reads(context).look_at_rows(LOOKED_MAX)?;
    let inside = room.look(context, Access::Inside, |room| names(room, viewer))?;
    if inside.is_some() {
        return Ok(inside);
    }
    // An invited user knows the inviter alone.
    room.look(context, Access::Outside, |room| {
        let member = room.member(viewer).filter(|it| it.membership == Membership::Invite)?;
        let inviter = room.member(&member.sender);
        Some(inviter.map_or_else(|| member.sender.to_string(), |it| shown(&member.sender, it)))
    })
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
