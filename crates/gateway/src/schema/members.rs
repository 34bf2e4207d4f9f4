//! Pages of the members of a room.

use async_graphql::{
    Context, Result, SimpleObject,
    connection::{Connection, ConnectionNameType, CursorType, Edge, EdgeNameType, EmptyFields},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use rookery_domain::{OwnedUserId, Power, UserId};
use rookery_query::{Member, RoomView};

use super::{
    context::page_size,
    fault::Fault,
    room::{Access, Room},
    scalars::UserIdScalar,
    user::{MembershipEnum, RoomMember, User},
};

/// Members on a page, if you do not say how many.
const PAGE_DEFAULT: usize = 50;

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

/// A page of those who are `membership` to the room.
pub(crate) fn page(
    context: &Context<'_>,
    room: &Room,
    first: Option<i32>,
    after: Option<&str>,
    membership: MembershipEnum,
) -> Result<Members> {
    let limit = page_size("first", first, PAGE_DEFAULT)?;
    let after = after.map(MemberCursor::decode_cursor).transpose().map_err(Fault::bad_input)?;
    let (total, mut members) = room.look(context, Access::Inside, |room| {
        let wanted = membership.into();
        let total = room.members().filter(|(_, member)| member.membership == wanted).count();
        let all: Box<dyn Iterator<Item = (&OwnedUserId, &Member)>> = match &after {
            Some(cursor) => Box::new(room.members_after(&cursor.0)),
            None => Box::new(room.members()),
        };
        let page = all.filter(|(_, member)| member.membership == wanted).take(limit + 1);
        let page: Vec<_> = page.map(|(user, member)| describe(room, user, member)).collect();
        (total, page)
    })?;
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

/// A member as clients see one.
pub(crate) fn describe(room: &RoomView<'_>, user: &UserId, member: &Member) -> RoomMember {
    let text = |text: &Option<Box<str>>| text.as_deref().map(ToOwned::to_owned);
    let in_room = |user: OwnedUserId| User::in_room(user, room.id().to_owned());
    RoomMember {
        user: in_room(user.to_owned()),
        user_id: UserIdScalar(user.to_owned()),
        display_name: text(&member.displayname),
        avatar_url: text(&member.avatar_url),
        membership: member.membership.into(),
        power_level: level(room, user),
        changed_by: in_room(member.sender.clone()),
    }
}

/// The power level of a user; none for creators who stand above all levels.
pub(crate) fn level(room: &RoomView<'_>, user: &UserId) -> Option<i64> {
    match room.summary().power(user) {
        Power::Level(level) => Some(level),
        Power::Infinite => None,
    }
}
