//! Pages of the members of a room.

use async_graphql::{
    Context, Object, Result, SimpleObject,
    connection::{CursorType, PageInfo},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use rookery_domain::{Membership, OwnedUserId, UserId};
use rookery_view::WantedMembers;

use super::room::Room;
use crate::{
    context::{app, page_size, session},
    reads::reads,
    types::{
        errors::fault::Fault,
        users::user::{MembershipEnum, RoomMember},
        values::list::{Items, List},
    },
};

/// Members on a page, by default.
pub const PAGE_DEFAULT: usize = 50;

/// A place in the list of members.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemberCursor(OwnedUserId);

impl CursorType for MemberCursor {
    type Error = &'static str;

    fn decode_cursor(text: &str) -> Result<Self, Self::Error> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok();
        let user = bytes.and_then(|bytes| String::from_utf8(bytes).ok()?.try_into().ok());
        user.map(Self).ok_or("`after` is not a cursor of this list")
    }

    fn encode_cursor(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.0.as_str())
    }
}

/// A page of the members of a room.
pub struct Members {
    room: Room,
    membership: Membership,
    page: Vec<RoomMember>,
    has_previous: bool,
    has_next: bool,
}

/// An edge in a connection.
#[derive(SimpleObject)]
pub struct RoomMemberEdge {
    /// The item at the end of the edge
    node: RoomMember,
    /// A cursor for use in pagination
    cursor: String,
}

/// A page of the members of a room.
#[Object(name = "RoomMemberConnection")]
impl Members {
    /// Information to aid in pagination.
    async fn page_info(&self) -> PageInfo {
        PageInfo {
            has_previous_page: self.has_previous,
            has_next_page: self.has_next,
            start_cursor: self.page.first().map(cursor_of),
            end_cursor: self.page.last().map(cursor_of),
        }
    }

    /// A list of edges.
    async fn edges(&self) -> List<RoomMemberEdge> {
        let edge = |member: &RoomMember| {
            let cursor = cursor_of(member);
            RoomMemberEdge { node: member.clone(), cursor }
        };
        self.page.iter().map(edge).collect()
    }

    /// A list of nodes.
    async fn nodes(&self) -> Items<'_, RoomMember> {
        Items(&self.page)
    }

    /// How many there are in all.
    async fn total_count(&self, context: &Context<'_>) -> Result<i32> {
        let count = count(context, &self.room, self.membership).await?;
        Ok(i32::try_from(count).unwrap_or(i32::MAX))
    }
}

fn cursor_of(member: &RoomMember) -> String {
    MemberCursor(member.user_id.0.clone()).encode_cursor()
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
    let after = after.map(MemberCursor::decode_cursor).transpose().map_err(Fault::bad_input)?;
    let after = after.as_ref().map(|cursor| &*cursor.0);
    let (viewer, reads) = (session(context).viewer()?, reads(context));
    let (membership, as_of) = (membership.into(), room.as_of());
    let wanted = WantedMembers { membership, after, limit: limit + 1, as_of };
    let found = app(context).models.members(room.matrix_id(), viewer, wanted, &reads).await;
    let mut page = reads.found(found)?.unwrap_or_default();
    let (has_previous, has_next) = (after.is_some(), page.len() > limit);
    page.truncate(limit);
    let page = page.into_iter().map(|member| RoomMember::of(member, room.matrix_id())).collect();
    Ok(Members { room: room.clone(), membership, page, has_previous, has_next })
}

/// How many users have `membership` in the room, at the moment as of which it is shown. A request
/// counts once.
async fn count(context: &Context<'_>, room: &Room, membership: Membership) -> Result<usize> {
    let (viewer, reads) = (session(context).viewer()?, reads(context));
    let key = (room.matrix_id().clone(), membership, room.as_of());
    if let Some(count) = reads.count(&key) {
        return Ok(count);
    }
    let wanted = (membership, room.as_of());
    let count = app(context).models.member_count(room.matrix_id(), viewer, wanted, &reads).await;
    let count = reads.found(count)?.unwrap_or_default();
    reads.counted(key, count);
    Ok(count)
}

/// One user in the room, at the moment as of which it is shown.
pub async fn one(context: &Context<'_>, room: &Room, user: &UserId) -> Result<Option<RoomMember>> {
    let (viewer, reads) = (session(context).viewer()?, reads(context));
    let wanted = (user, room.as_of());
    let found = app(context).models.member(room.matrix_id(), viewer, wanted, &reads).await;
    let found = reads.found(found)?.flatten();
    Ok(found.map(|member| RoomMember::of(member, room.matrix_id())))
}
