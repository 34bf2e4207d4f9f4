//! Pages of the members of a room.

use std::io;

use async_graphql::{
    Context, Result, SimpleObject,
    connection::{Connection, ConnectionNameType, CursorType, Edge, EdgeNameType, EmptyFields},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use rookery_domain::{OwnedUserId, Profile, UserId};
use rookery_log::Position;
use rookery_query::{Member, Membership, RoomView, RowKey, Summary};

use super::{
    context::{app, page_size, unless_absent},
    face::level,
    fault::Fault,
    room::{Access, Room},
    scalars::UserIdScalar,
    user::{MembershipEnum, RoomMember, User},
};

/// Members on a page, if you do not say how many.
pub(crate) const PAGE_DEFAULT: usize = 50;

/// The name of the connection.
pub(crate) struct MemberConnection;

impl ConnectionNameType for MemberConnection {
    fn type_name<T: async_graphql::OutputType>() -> String {
        "RoomMemberConnection".into()
    }
}

impl EdgeNameType for MemberConnection {
    fn type_name<T: async_graphql::OutputType>() -> String {
        "RoomMemberEdge".into()
    }
}

/// A place in the list of members.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct MemberCursor(OwnedUserId);

impl CursorType for MemberCursor {
    type Error = &'static str;

    fn decode_cursor(text: &str) -> Result<Self, Self::Error> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok();
        let user = bytes.and_then(|bytes| String::from_utf8(bytes).ok()?.try_into().ok());
        user.map(Self).ok_or("`after` is no cursor of this list")
    }

    fn encode_cursor(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.0.as_str())
    }
}

/// A connection of members.
pub(crate) type Members =
    Connection<MemberCursor, RoomMember, Counted, EmptyFields, MemberConnection, MemberConnection>;

/// How many there are in all.
#[derive(Default, SimpleObject)]
pub(crate) struct Counted {
    /// How many there are in all.
    pub(crate) total_count: i32,
}

/// A member of a page, whose event of the moment may still have to be read.
struct Listed {
    member: RoomMember,
    /// The member event of the moment, where another one holds since.
    held: Option<RowKey>,
}

/// A page of those who are `membership` to the room, at the moment that it is shown as of.
pub(crate) async fn page(
    context: &Context<'_>,
    room: &Room,
    first: Option<i32>,
    after: Option<&str>,
    membership: MembershipEnum,
) -> Result<Members> {
    let limit = page_size("first", first, PAGE_DEFAULT)?;
    let after = after.map(MemberCursor::decode_cursor).transpose().map_err(Fault::bad_input)?;
    let summary = summary_of(context, room).await?;
    let as_of = room.as_of();
    let looked = room.look(context, Access::Inside, |room| {
        let wanted = membership.into();
        let is_wanted = |(user, member): &(&OwnedUserId, &Member)| {
            membership_of(room, user, member, as_of) == wanted
        };
        let total = room.members().filter(is_wanted).count();
        let all: Box<dyn Iterator<Item = (&OwnedUserId, &Member)>> = match &after {
            Some(cursor) => Box::new(room.members_after(&cursor.0)),
            None => Box::new(room.members()),
        };
        let page = all.filter(is_wanted).take(limit + 1);
        let summary = summary.as_ref().unwrap_or(room.summary());
        let page = page.map(|(user, member)| list(room, summary, user, member, as_of));
        Some(page.collect::<io::Result<Vec<_>>>().map(|page| (total, page)))
    })?;
    let looked = looked.transpose().map_err(|error| Fault::internal(&error.to_string()))?;
    let (total, listed) = looked.unwrap_or_default();
    let mut members = as_they_were(context, room, listed).await?;
    let has_more = members.len() > limit;
    members.truncate(limit);
    let total_count = i32::try_from(total).unwrap_or(i32::MAX);
    let fields = Counted { total_count };
    let mut connection = Connection::with_additional_fields(after.is_some(), has_more, fields);
    connection.edges = members
        .into_iter()
        .map(|member| Edge::new(MemberCursor(member.user_id.0.clone()), member))
        .collect();
    Ok(connection)
}

/// One user in the room, at the moment that it is shown as of.
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
    let listed = listed.transpose().map_err(|error| Fault::internal(&error.to_string()))?;
    Ok(as_they_were(context, room, listed.into_iter().collect()).await?.pop())
}

/// What the room said about itself at its moment; none if that is what it says now.
async fn summary_of(context: &Context<'_>, room: &Room) -> Result<Option<Summary>> {
    let Some(at) = room.as_of() else { return Ok(None) };
    let models = &app(context).models;
    let is_old = models.view().room(room.matrix_id()).is_some_and(|room| room.activity() > at);
    if !is_old {
        return Ok(None);
    }
    let past = unless_absent(models.room_at(room.matrix_id(), at).await)?.flatten();
    Ok(past.map(|past| past.summary))
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
) -> io::Result<Listed> {
    let mut shown = describe(room, summary, user, member);
    let held = match as_of {
        Some(at) if member.changed_after(at) => {
            shown.membership = room.membership_at(user, at).into();
            room.state_at("m.room.member", user.as_str(), at)?
        }
        _ => None,
    };
    Ok(Listed { member: shown, held })
}

/// Reads what has been replaced since: all events that are needed at once.
async fn as_they_were(
    context: &Context<'_>,
    room: &Room,
    listed: Vec<Listed>,
) -> Result<Vec<RoomMember>> {
    let keys: Vec<_> = listed.iter().filter_map(|listed| listed.held).collect();
    let events = if keys.is_empty() {
        Vec::new()
    } else {
        unless_absent(app(context).models.events_at(room.matrix_id(), &keys).await)?
            .unwrap_or_default()
    };
    let restate = |Listed { mut member, held }: Listed| {
        let held = events.iter().find(|event| Some(event.row.key) == held);
        if let Some(pdu) = held.map(|event| &event.event().pdu) {
            let profile = Profile::of(pdu);
            member.display_name = profile.displayname.filter(|text| !text.is_empty());
            member.avatar_url = profile.avatar_url.filter(|text| !text.is_empty());
            member.changed_by = User::in_room(pdu.sender.clone(), room.matrix_id().clone());
        }
        member
    };
    Ok(listed.into_iter().map(restate).collect())
}

/// A member as clients see one.
fn describe(room: &RoomView<'_>, summary: &Summary, user: &UserId, member: &Member) -> RoomMember {
    let text = |text: &Option<Box<str>>| text.as_deref().map(ToOwned::to_owned);
    let in_room = |user: OwnedUserId| User::in_room(user, room.id().to_owned());
    RoomMember {
        user: in_room(user.to_owned()),
        user_id: UserIdScalar(user.to_owned()),
        display_name: text(&member.displayname),
        avatar_url: text(&member.avatar_url),
        membership: member.membership.into(),
        power_level: level(summary, user),
        changed_by: in_room(member.sender.clone()),
        room_id: room.id().to_owned(),
    }
}
