//! Pages of the members of a room.

use std::io;

use async_graphql::{
    Context, Object, Result, SimpleObject,
    connection::{CursorType, PageInfo},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use rookery_domain::{Membership, OwnedUserId, Pdu, Profile, UserId};
use rookery_log::Position;
use rookery_projection::{Member, Summary};
use rookery_view::RoomView;

use super::{
    face::level,
    room::{Access, Room},
};
use crate::schema::{
    context::{app, page_size, unless_absent},
    reads::reads,
    types::{
        errors::fault::Fault,
        users::user::{MembershipEnum, RoomMember, User},
        values::{
            list::{Items, List},
            scalars::{Long, UserIdScalar},
            text::{Text, UriText},
        },
    },
};

/// Members on a page, by default.
pub(crate) const PAGE_DEFAULT: usize = 50;

/// A place in the list of members.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct MemberCursor(OwnedUserId);

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
pub(crate) struct Members {
    room: Room,
    membership: Membership,
    page: Vec<RoomMember>,
    has_previous: bool,
    has_next: bool,
}

/// An edge in a connection.
#[derive(SimpleObject)]
pub(crate) struct RoomMemberEdge {
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

/// A member of a page, whose event at the moment may still have to be read.
struct Listed {
    member: RoomMember,
    /// The slot of the member event, if another event may have held it at the moment.
    changed: Option<(String, String)>,
}

/// Members that are checked before the models are released.
const LOOKED_MAX: usize = 1_000;

/// A page of the users with `membership` in the room, at the moment as of which it is shown.
pub(crate) async fn page(
    context: &Context<'_>,
    room: &Room,
    first: Option<i32>,
    after: Option<&str>,
    membership: MembershipEnum,
) -> Result<Members> {
    let limit = page_size("first", first, PAGE_DEFAULT)?;
    let after = after.map(MemberCursor::decode_cursor).transpose().map_err(Fault::bad_input)?;
    let (has_previous, mut after) = (after.is_some(), after.map(|cursor| cursor.0));
    let (summary, membership) = (summary_of(context, room).await?, membership.into());
    let as_of = room.as_of();
    let (reads, mut listed) = (reads(context), Vec::new());
    loop {
        let looked = look(context, room, &mut after, |view, user, member| {
            if membership_of(view, user, member, as_of) != membership {
                return Ok(true);
            }
            let summary = summary.as_ref().unwrap_or(view.summary());
            listed.push(list(view, summary, user, member, as_of));
            Ok(listed.len() <= limit)
        })?;
        reads.look_at_rows(looked)?;
        if looked < LOOKED_MAX || listed.len() > limit {
            break;
        }
        reads.pause().await?;
    }
    let mut page = as_they_were(context, room, listed).await?;
    let has_next = page.len() > limit;
    page.truncate(limit);
    Ok(Members { room: room.clone(), membership, page, has_previous, has_next })
}

/// How many users have `membership` in the room, at the moment as of which it is shown. If the
/// models have no count, the request counts once.
async fn count(context: &Context<'_>, room: &Room, membership: Membership) -> Result<usize> {
    let as_of = room.as_of();
    let known = room.look(context, Access::Inside, |view| {
        let is_now = as_of.is_none_or(|at| view.activity() <= at);
        match membership {
            Membership::Join if is_now => Known::Count(view.joined_count()),
            Membership::Invite if is_now => Known::Count(view.invited_count()),
            _ => Known::ToBeCounted,
        }
    })?;
    if let Known::Count(count) = known {
        return Ok(usize::try_from(count).unwrap_or(usize::MAX));
    }
    if matches!(known, Known::Nothing) {
        return Ok(0);
    }
    let (reads, key) = (reads(context), (room.matrix_id().clone(), membership, as_of));
    if let Some(count) = reads.count(&key) {
        return Ok(count);
    }
    let (mut count, mut after) = (0, None);
    loop {
        reads.pause().await?;
        let looked = look(context, room, &mut after, |view, user, member| {
            count += usize::from(membership_of(view, user, member, as_of) == membership);
            Ok(true)
        })?;
        reads.look_at_rows(looked)?;
        if looked < LOOKED_MAX {
            break;
        }
    }
    reads.counted(key, count);
    Ok(count)
}

/// Whether a count is known without counting.
#[derive(Default)]
enum Known {
    /// The room shows nothing.
    #[default]
    Nothing,
    ToBeCounted,
    Count(u64),
}

/// Passes up to [`LOOKED_MAX`] members after `after` to `each`, until that returns `false`, and
/// moves `after` on. Returns their number.
fn look(
    context: &Context<'_>,
    room: &Room,
    after: &mut Option<OwnedUserId>,
    mut each: impl FnMut(&RoomView<'_>, &UserId, &Member) -> io::Result<bool>,
) -> Result<usize> {
    let mut look = |view: &RoomView<'_>| {
        let members: Box<dyn Iterator<Item = (&OwnedUserId, &Member)>> = match &*after {
            Some(user) => Box::new(view.members_after(user)),
            None => Box::new(view.members()),
        };
        let (mut looked, mut last) = (0, None);
        for (user, member) in members.take(LOOKED_MAX) {
            looked += 1;
            last = Some(user);
            if !each(view, user, member)? {
                break;
            }
        }
        *after = last.cloned();
        Ok::<_, io::Error>(looked)
    };
    let looked = room.look(context, Access::Inside, |view| Some(look(view)))?.transpose();
    Ok(looked.map_err(|error| Fault::internal(&error.to_string()))?.unwrap_or_default())
}

/// One user in the room, at the moment as of which it is shown.
pub(crate) async fn one(
    context: &Context<'_>,
    room: &Room,
    user: &UserId,
) -> Result<Option<RoomMember>> {
    let summary = summary_of(context, room).await?;
    let as_of = room.as_of();
    let listed = room.look(context, Access::Inside, |room| {
        let member = room.member(user)?;
        if membership_of(room, user, member, as_of) == Membership::None {
            return None;
        }
        let summary = summary.as_ref().unwrap_or(room.summary());
        Some(list(room, summary, user, member, as_of))
    })?;
    Ok(as_they_were(context, room, listed.into_iter().collect()).await?.pop())
}

/// The settings of the room at its moment; `None` if they are the present ones.
async fn summary_of(context: &Context<'_>, room: &Room) -> Result<Option<Summary>> {
    let Some(at) = room.as_of() else { return Ok(None) };
    let models = &app(context).models;
    let is_old = models.view().room(room.matrix_id()).is_some_and(|room| room.activity() > at);
    if !is_old {
        return Ok(None);
    }
    let settings = models.settings_at_within(room.matrix_id(), at, &reads(context)).await;
    Ok(unless_absent(settings)?.flatten())
}

fn membership_of(
    room: &RoomView<'_>,
    user: &UserId,
    member: &Member,
    as_of: Option<Position>,
) -> Membership {
    match as_of {
        Some(at) if member.changed_after(at) => room.membership_at(user, at),
        _ => member.membership,
    }
}

fn list(
    room: &RoomView<'_>,
    summary: &Summary,
    user: &UserId,
    member: &Member,
    as_of: Option<Position>,
) -> Listed {
    let mut shown = describe(room, summary, user, member);
    let at = as_of.filter(|at| member.changed_after(*at));
    let changed = at.map(|at| {
        shown.membership = room.membership_at(user, at).into();
        ("m.room.member".to_owned(), user.to_string())
    });
    Listed { member: shown, changed }
}

/// Reads the events that were replaced since, all at once.
async fn as_they_were(
    context: &Context<'_>,
    room: &Room,
    listed: Vec<Listed>,
) -> Result<Vec<RoomMember>> {
    let slots: Vec<_> = listed.iter().filter_map(|listed| listed.changed.clone()).collect();
    let models = &app(context).models;
    let mut events = Vec::new();
    if let Some(at) = room.as_of().filter(|_| !slots.is_empty()) {
        let keys = models.held_at(room.matrix_id(), &slots, at, &reads(context)).await;
        let keys = unless_absent(keys)?.unwrap_or_default();
        let read = models.events_at(room.matrix_id(), &keys).await;
        events = unless_absent(read)?.unwrap_or_default();
        reads(context).keep(&events).await?;
    }
    let restate = |Listed { mut member, changed }: Listed| {
        let user = changed.as_ref().map(|(_, user)| &**user);
        let is_of = |pdu: &Pdu| user.is_some() && pdu.state_key.as_deref() == user;
        let held = events.iter().map(|event| &event.event().pdu).find(|pdu| is_of(pdu));
        if let Some(pdu) = held {
            let profile = Profile::of(pdu);
            let shown = |text: Option<String>| text.filter(|text| !text.is_empty());
            member.display_name = shown(profile.displayname).map(Text);
            member.avatar_url = shown(profile.avatar_url).map(UriText);
            member.changed_by = User::in_room(pdu.sender.clone(), room.matrix_id().clone());
        }
        member
    };
    Ok(listed.into_iter().map(restate).collect())
}

/// A member in the form for clients.
fn describe(room: &RoomView<'_>, summary: &Summary, user: &UserId, member: &Member) -> RoomMember {
    let text = |text: &Option<Box<str>>| text.as_deref().map(|text| Text(text.to_owned()));
    let in_room = |user: OwnedUserId| User::in_room(user, room.id().to_owned());
    RoomMember {
        user: in_room(user.to_owned()),
        user_id: UserIdScalar(user.to_owned()),
        display_name: text(&member.displayname),
        avatar_url: member.avatar_url.as_deref().map(|url| UriText(url.to_owned())),
        membership: member.membership.into(),
        power_level: level(summary, user).map(Long::from),
        changed_by: in_room(member.sender.clone()),
        room_id: room.id().to_owned(),
    }
}
