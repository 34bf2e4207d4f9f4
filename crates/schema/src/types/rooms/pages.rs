//! Pages of rooms.

use async_graphql::{Context, Result, SimpleObject};
use rookery_domain::{OwnedRoomId, OwnedServerName, RoomId};
use rookery_log::Position;
use rookery_view::RoomSnapshot;

use super::{room::Room, timeline};
use crate::{
    context::{PAGE_MAX, app, page_size, session},
    reads::reads,
    types::{
        events::event::RoomEvent,
        users::user::MembershipEnum,
        values::{
            connection::{Page, connection, key, not_of_this_list},
            scalars::{PositionScalar, RoomAliasScalar, ServerNameScalar},
        },
    },
};

connection!(RoomConnection, RoomEdge, Room, "A page of rooms.");
connection!(RoomAliasConnection, RoomAliasEdge, RoomAliasScalar, "A page of aliases of a room.");
connection!(RoomServerConnection, RoomServerEdge, RoomServer, "A page of the servers of a room.");
connection!(RoomStateConnection, RoomStateEdge, RoomEvent, "A page of the state of a room.");

/// Rooms on a page, by default.
pub const PAGE_DEFAULT: usize = 20;

/// Events in the snapshot of a room that a user enters, by default.
pub const SCREEN_DEFAULT: usize = 20;

/// The rooms of the viewer that a list has.
#[derive(Clone, Copy)]
pub enum ListedRooms {
    /// Those in which the viewer has this membership.
    With(MembershipEnum),
    /// The favourites that the viewer has joined.
    Favourites,
}

/// Rooms of the viewer, most recently active first.
pub async fn rooms_of_viewer(
    context: &Context<'_>,
    first: Option<i32>,
    after: Option<&str>,
    listed: ListedRooms,
) -> Result<RoomConnection> {
    let limit = page_size("first", first, PAGE_DEFAULT)?;
    let (app, viewer) = (app(context), session(context).viewer()?);
    let before = match after {
        None => None,
        Some(after) => {
            let token = after.parse().map_err(|_| not_of_this_list())?;
            Some(app.position(&PositionScalar(token))?)
        }
    };
    let reads = reads(context);
    reads.pause().await?;
    reads.look_at_rows(limit)?;
    let view = app.models.view();
    let page = match listed {
        ListedRooms::With(membership) => view.rooms_of(viewer, membership.into(), before, limit),
        ListedRooms::Favourites => {
            reads.look_at_rows(view.favourites_looked(viewer))?;
            view.favourites_of(viewer, before, limit)
        }
    };
    let cursor = |position: Position| app.position_text(position);
    let rooms =
        page.rooms.iter().map(|room| (cursor(room.activity()), Room::new(room.id().to_owned())));
    let page = Page::with_cursors(rooms.collect(), before.is_some(), page.next.map(cursor));
    Ok(RoomConnection(page))
}

/// The aliases that point to a room, in alphabetical order.
pub(super) async fn aliases(
    context: &Context<'_>,
    room: &Room,
    first: Option<i32>,
    after: Option<&str>,
) -> Result<RoomAliasConnection> {
    let limit = page_size("first", first, PAGE_MAX)?;
    let (has_previous, after) = (after.is_some(), after.map(key).transpose()?);
    let page = |room: &RoomSnapshot| {
        let after = after.as_deref().unwrap_or_default();
        let start = room.aliases.partition_point(|alias| alias.as_str() <= after);
        room.aliases[start..].iter().take(limit + 1).cloned().collect::<Vec<_>>()
    };
    let aliases = room.shown(context, page).await?;
    let page = Page::read(aliases, limit, has_previous, ToString::to_string);
    Ok(RoomAliasConnection(page.map(RoomAliasScalar)))
}

/// A server whose users have joined a room.
#[derive(Clone, SimpleObject)]
pub struct RoomServer {
    /// Its name.
    name: ServerNameScalar,
    /// How many of its users have joined.
    member_count: i32,
    /// Whether it is another server than this one.
    is_remote: bool,
}

/// A page of the servers of a room, if the viewer sees its members.
pub(super) async fn servers(
    context: &Context<'_>,
    room: &RoomId,
    first: Option<i32>,
    after: Option<&str>,
) -> Result<RoomServerConnection> {
    let limit = page_size("first", first, PAGE_DEFAULT)?;
    let (app, viewer, reads) = (app(context), session(context).viewer()?, reads(context));
    let has_previous = after.is_some();
    let after = after.map(key).transpose()?.map(OwnedServerName::try_from).transpose();
    let after = after.map_err(|_| not_of_this_list())?;
    let wanted = (after.as_deref(), limit + 1);
    let found = app.models.room_servers(room, viewer, wanted, &reads).await;
    let found = reads.found(found)?.unwrap_or_default();
    let own = app.commands.server_name();
    let server = |(name, joined): (OwnedServerName, u64)| RoomServer {
        is_remote: name != *own,
        name: ServerNameScalar(name),
        member_count: i32::try_from(joined).unwrap_or(i32::MAX),
    };
    let servers = found.into_iter().map(server).collect();
    let name = |server: &RoomServer| server.name.0.to_string();
    Ok(RoomServerConnection(Page::read(servers, limit, has_previous, name)))
}

impl Room {
    /// The room that replaced it.
    pub async fn replacement(&self, context: &Context<'_>) -> Result<Option<OwnedRoomId>> {
        let tombstone = timeline::slot(context, self, "m.room.tombstone").await?;
        Ok(tombstone.and_then(|event| event.text_of("replacement_room")?.try_into().ok()))
    }
}
