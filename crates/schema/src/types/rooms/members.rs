//! Pages of the members of a room.

use async_graphql::{Context, Result};
use rookery_domain::{Membership, UserId};
use rookery_view::WantedMembers;

use super::room::Room;
use crate::{
    context::{app, page_size, session},
    reads::reads,
    types::{
        users::{
            pages::user_of,
            user::{MembershipEnum, RoomMember},
        },
        values::connection::{Page, counted_connection},
    },
};

/// Members on a page, by default.
pub const PAGE_DEFAULT: usize = 50;

/// A page of the members of a room.
pub struct Members {
    room: Room,
    membership: Membership,
    page: Page<RoomMember>,
}

counted_connection!(
    Members,
    "RoomMemberConnection",
    RoomMemberEdge,
    RoomMember,
    "A page of the members of a room."
);

impl Members {
    /// How many there are in all. A request counts once.
    async fn count(&self, context: &Context<'_>) -> Result<usize> {
        let (viewer, reads) = (session(context).viewer()?, reads(context));
        let (room, membership, as_of) = (&self.room, self.membership, self.room.as_of());
        let key = (room.matrix_id().clone(), membership, as_of);
        if let Some(count) = reads.count(&key) {
            return Ok(count);
        }
        let models = &app(context).models;
        let count = models.member_count(room.matrix_id(), viewer, (membership, as_of), &reads);
        let count = reads.found(count.await)?.unwrap_or_default();
        reads.counted(key, count);
        Ok(count)
    }
}

/// A page of the users with `membership` in the room, at the moment as of which it is shown.
pub async fn page(
    context: &Context<'_>,
    room: &Room,
    first: Option<i32>,
    after: Option<&str>,
    membership: MembershipEnum,
) -> Result<Members> {
    let limit = page_size("first", first, PAGE_DEFAULT)?;
    let after = after.map(user_of).transpose()?;
    let (viewer, reads) = (session(context).viewer()?, reads(context));
    let (membership, as_of) = (membership.into(), room.as_of());
    let wanted = WantedMembers { membership, after: after.as_deref(), limit: limit + 1, as_of };
    let found = app(context).models.members(room.matrix_id(), viewer, wanted, &reads).await;
    let found = reads.found(found)?.unwrap_or_default().into_iter();
    let members = found.map(|member| RoomMember::of(member, room.matrix_id())).collect();
    let key = |member: &RoomMember| member.user_id.0.to_string();
    let page = Page::read(members, limit, after.is_some(), key);
    Ok(Members { room: room.clone(), membership, page })
}

/// One user in the room, at the moment as of which it is shown.
pub async fn one(context: &Context<'_>, room: &Room, user: &UserId) -> Result<Option<RoomMember>> {
    let (viewer, reads) = (session(context).viewer()?, reads(context));
    let wanted = (user, room.as_of());
    let found = app(context).models.member(room.matrix_id(), viewer, wanted, &reads).await;
    let found = reads.found(found)?.flatten();
    Ok(found.map(|member| RoomMember::of(member, room.matrix_id())))
}
