//! Pages of the members of a room, the services that follow it, and the name that its members give it.

use async_graphql::{Context, Result, SimpleObject};
use rookery_domain::{Membership, UserId};
use rookery_view::{FollowedSince, RoomFollower as Follower, RoomSnapshot, WantedMembers};

use super::room::Room;
use crate::{
    context::{app, page_size, session},
    reads::reads,
    types::{
        errors::fault::Fault,
        users::{
            pages::user_of,
            user::{MembershipEnum, RoomMember, User},
        },
        values::{
            connection::{Page, counted_connection},
            scalars::DateTime,
            text::Text,
        },
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

/// A service that follows a room: its bot reads the room without being a member.
#[derive(Clone, SimpleObject)]
pub struct RoomFollower {
    /// The name of the service.
    name: String,
    /// Its bot.
    bot: User,
    /// Since when the service follows the room. Its bot may see what a member may see who joined then.
    since: DateTime,
}

/// The services that follow the room, if the viewer may see its members.
pub async fn followers(context: &Context<'_>, room: &Room) -> Result<Vec<RoomFollower>> {
    let models = &app(context).models;
    let viewer = session(context).viewer()?;
    let followers = models.view().followers_of(room.matrix_id(), viewer);
    let commit = |follower: &Follower| match follower.since {
        FollowedSince::Commit(position) => Some(position),
        FollowedSince::Added(_) => None,
    };
    let commits = models.commits(followers.iter().filter_map(commit).collect()).await;
    let commits = commits.map_err(|error| Fault::unavailable(&error.to_string()))?;
    let shown = |Follower { name, bot, since }: Follower| {
        let since = match since {
            FollowedSince::Added(at) => at,
            FollowedSince::Commit(position) => commits.get(&position)?.received,
        };
        let bot = User::in_room(bot, room.matrix_id().clone());
        Some(RoomFollower { name, bot, since: DateTime(since) })
    };
    Ok(followers.into_iter().filter_map(shown).collect())
}

/// The name of the room, else one that its members give it.
pub(super) async fn display_name(context: &Context<'_>, room: &Room) -> Result<Text> {
    let named = |room: &RoomSnapshot| {
        let name = room.name.clone().filter(|name| !name.is_empty());
        name.or_else(|| room.canonical_alias.as_ref().map(ToString::to_string))
    };
    if let Some(name) = room.shown(context, named).await? {
        return Ok(Text(name));
    }
    let (viewer, reads) = (session(context).viewer()?, reads(context));
    let name = app(context).models.view().named_by_members(room.matrix_id(), viewer, &reads);
    let name = reads.found(name)?.flatten();
    Ok(Text(name.unwrap_or_else(|| room.matrix_id().to_string())))
}

/// The only other user in the room.
pub(super) fn peer(context: &Context<'_>, room: &Room) -> Result<Option<User>> {
    let (viewer, reads) = (session(context).viewer()?, reads(context));
    let peer = app(context).models.view().peer_in(room.matrix_id(), viewer, &reads);
    let peer = reads.found(peer)?.flatten();
    Ok(peer.map(|peer| User::in_room(peer, room.matrix_id().clone())))
}
