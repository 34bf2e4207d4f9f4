//! Queries.

use async_graphql::{
    Context, ID, Object, Result, SimpleObject,
    connection::{Connection, ConnectionNameType, Edge, EdgeNameType, EmptyFields},
};
use rookery_query::View;

use super::{
    context::{app, page_size, session, unless_absent},
    event::RoomEvent,
    fault::Fault,
    filter::{FilterInput, chosen},
    members::Counted,
    node::{Node, node},
    room::Room,
    scalars::{EventIdScalar, PositionScalar, RoomAliasScalar, RoomIdScalar, UserIdScalar},
    stream::{EventChunk, poll},
    sync::{InitialSync, Viewer},
    user::User,
};

/// Rooms on a page of the directory, if you do not say how many.
const PAGE_DEFAULT: usize = 20;

/// The name of the connection.
pub(crate) struct PublicRoomNames;

impl ConnectionNameType for PublicRoomNames {
    fn type_name<T: async_graphql::OutputType>() -> String {
        "PublicRoomConnection".into()
    }
}

impl EdgeNameType for PublicRoomNames {
    fn type_name<T: async_graphql::OutputType>() -> String {
        "PublicRoomEdge".into()
    }
}

/// A page of the public directory.
pub(crate) type PublicRooms =
    Connection<usize, Room, Counted, EmptyFields, PublicRoomNames, PublicRoomNames>;

/// What this server is.
#[derive(SimpleObject)]
pub(crate) struct Server {
    /// The name of the server, which ends the IDs of its users.
    name: String,
    /// The version of the software.
    version: &'static str,
}

/// Queries.
pub struct Query;

/// What you can ask the server.
#[Object]
impl Query {
    /// What this server is. You need not be logged in.
    async fn server(&self, context: &Context<'_>) -> Server {
        let name = app(context).commands.server_name().to_string();
        Server { name, version: env!("CARGO_PKG_VERSION") }
    }

    /// You, and what is only for you. Null if nobody is logged in.
    async fn viewer(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Wait until the server shows at least this position, or answer STALE.")]
        min_position: Option<PositionScalar>,
    ) -> Result<Option<Viewer>> {
        let session = session(context);
        if session.viewer().is_err() {
            return Ok(None);
        }
        app(context).fresh(session, min_position.as_ref()).await?;
        Ok(Some(Viewer::of(app(context), session)?))
    }

    /// Everything a client needs to show its first screen, all of it at one position. Follow
    /// `eventStream` from that position.
    async fn initial_sync(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "How many rooms, from 1 to 100.")] first: Option<i32>,
        #[graphql(desc = "The `next` of the page before.")] after: Option<PositionScalar>,
        #[graphql(desc = "Wait until the server shows at least this position, or answer STALE.")]
        min_position: Option<PositionScalar>,
    ) -> Result<InitialSync> {
        let (app, session) = (app(context), session(context));
        session.viewer()?;
        app.fresh(session, min_position.as_ref()).await?;
        Ok(InitialSync::of(app, session, first, after.as_ref())?)
    }

    /// A room, by its ID or by an alias, one of the two. Null if there is none that you may see.
    async fn room(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The room, by ID.")] id: Option<RoomIdScalar>,
        #[graphql(desc = "The room, by alias.")] alias: Option<RoomAliasScalar>,
        #[graphql(desc = "Wait until the server shows at least this position, or answer STALE.")]
        min_position: Option<PositionScalar>,
    ) -> Result<Option<Room>> {
        let (app, session) = (app(context), session(context));
        session.viewer()?;
        app.fresh(session, min_position.as_ref()).await?;
        let id = match (id, alias) {
            (Some(id), None) => Some(id.0),
            (None, Some(alias)) => app.models.view().alias(&alias.0).map(ToOwned::to_owned),
            _ => return Err(Fault::bad_input("give either `id` or `alias`").into()),
        };
        id.map_or(Ok(None), |id| Room::visible(context, id))
    }

    /// A user. Name and picture are shown to those who share a room with the user.
    async fn user(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The user.")] id: UserIdScalar,
        #[graphql(desc = "Wait until the server shows at least this position, or answer STALE.")]
        min_position: Option<PositionScalar>,
    ) -> Result<User> {
        let session = session(context);
        session.viewer()?;
        app(context).fresh(session, min_position.as_ref()).await?;
        Ok(User::new(id.0))
    }

    /// The public directory of rooms, the largest first.
    async fn public_rooms(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "How many, from 1 to 100.")] first: Option<i32>,
        #[graphql(desc = "The cursor after which to go on.")] after: Option<String>,
        #[graphql(desc = "Only rooms whose name, topic or alias contains this.")] search: Option<
            String,
        >,
    ) -> Result<PublicRooms> {
        let session = session(context);
        session.viewer()?;
        app(context).fresh(session, None).await?;
        let limit = page_size("first", first, PAGE_DEFAULT)?;
        let skip = after.map_or(Ok(0), |after| {
            let last: Option<usize> = after.parse().ok();
            last.and_then(|last| last.checked_add(1))
                .ok_or_else(|| Fault::bad_input("`after` is no cursor of this list"))
        })?;
        Ok(directory(&app(context).models.view(), search.as_deref(), skip, limit))
    }

    /// What happened after a position, as `eventStream` gives it: for clients that poll.
    async fn events(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "From where to go on.")] after: PositionScalar,
        #[graphql(desc = "Which events.")] filter: Option<FilterInput>,
        #[graphql(desc = "The same as a stored filter, in place of `filter`.")] filter_id: Option<
            String,
        >,
        #[graphql(desc = "How many commits to read at most, from 1 to 100.")] limit: Option<i32>,
    ) -> Result<EventChunk> {
        let (app, session) = (app(context), session(context));
        session.viewer()?;
        app.fresh(session, Some(&after)).await?;
        let filter = chosen(context, filter, filter_id).await?;
        poll(context, &after, filter, page_size("limit", limit, super::context::PAGE_MAX)?).await
    }

    /// An event by its ID. Null if there is none that you may see.
    async fn event(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The event.")] id: EventIdScalar,
        #[graphql(desc = "Wait until the server shows at least this position, or answer STALE.")]
        min_position: Option<PositionScalar>,
    ) -> Result<Option<RoomEvent>> {
        let (app, session) = (app(context), session(context));
        let viewer = session.viewpoint()?;
        app.fresh(session, min_position.as_ref()).await?;
        let found = unless_absent(app.models.event(&id.0, &viewer).await)?.flatten();
        Ok(found.and_then(|(_, event)| RoomEvent::of_timeline(&event)))
    }

    /// An object by its global ID. Null if there is none that you may see.
    async fn node(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The global ID.")] id: ID,
    ) -> Result<Option<Node>> {
        let session = session(context);
        session.viewer()?;
        app(context).fresh(session, None).await?;
        node(context, &id).await
    }
}

fn directory(view: &View<'_>, search: Option<&str>, skip: usize, limit: usize) -> PublicRooms {
    let found = view.public_rooms(search, skip, limit);
    let has_next = skip + found.rooms.len() < found.total;
    let total_count = i32::try_from(found.total).unwrap_or(i32::MAX);
    let fields = Counted { total_count };
    let mut connection = Connection::with_additional_fields(skip > 0, has_next, fields);
    let rooms = found.rooms.iter().zip(skip..);
    connection.edges =
        rooms.map(|(room, index)| Edge::new(index, Room::at(room, view.position()))).collect();
    connection
}
