//! Queries.

use async_graphql::{Context, ID, Object, Result, SimpleObject};
use rookery_graphql_edge::RateStatus;
use rookery_schema::{
    context::{PAGE_MAX, app, page_size, session},
    types::{
        admin::Admin,
        calls::ice_server::IceServer,
        errors::fault::{Fault, rate_limited},
        events::event::{RoomEvent, one_event},
        filter::{FilterBy, chosen},
        node::{Node, node},
        rooms::{
            directory::PublicRooms,
            pages::PAGE_DEFAULT,
            room::{Room, RoomBy},
        },
        sync::{InitialSync, SyncArguments},
        users::{
            pages::{self as users, UserConnection},
            user::User,
            viewer::Viewer,
        },
        values::{
            list::List,
            rate_limit::RateLimit,
            scalars::{
                EventIdScalar, PositionScalar, RoomIdScalar, ServerNameScalar, SyncCursorScalar,
                UserIdScalar,
            },
        },
    },
};

use rookery_view::WantedElsewhere;

use crate::schema::subscription::{EventChunk, poll};

/// This server.
#[derive(SimpleObject)]
pub(crate) struct Server {
    /// The name of the server, which ends the IDs of its users.
    name: String,
    /// The version of the software.
    version: &'static str,
}

/// Queries.
pub struct Query;

/// The queries of clients.
#[Object]
impl Query {
    /// This server. It needs no login.
    async fn server(&self, context: &Context<'_>) -> Server {
        let name = app(context).commands.server_name().to_string();
        Server { name, version: env!("CARGO_PKG_VERSION") }
    }

    /// Your rate limit. Null if this server sets none. It needs no login.
    async fn rate_limit(&self, context: &Context<'_>) -> Option<RateLimit> {
        context.data_opt::<RateStatus>().map(RateLimit::from)
    }

    /// The servers that help your calls through firewalls: pass them to `RTCPeerConnection` as they are. Ask before each
    /// call. Empty if this server has none. A user who asks too often gets `RATE_LIMITED`.
    async fn ice_servers(&self, context: &Context<'_>) -> Result<List<IceServer>> {
        let (app, session) = (app(context), session(context));
        let user = session.viewer()?;
        if let Some(refusal) = app.entrances.ice_servers(user.as_str(), session.received) {
            return Err(rate_limited(refusal));
        }
        let servers = app.ice_servers.for_user(user, session.received);
        Ok(List(servers.into_iter().map(IceServer::from).collect()))
    }

    /// You, and the data that only you can see. Null without a login.
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

    /// The server, for its administrators; `FORBIDDEN` for others.
    async fn admin(&self, context: &Context<'_>) -> Result<Option<Admin>> {
        session(context).admin()?;
        Ok(Some(Admin))
    }

    /// The data for a client's first screen, all of it at one position. Follow `eventStream` from
    /// that position. With `since`: only the changes since then.
    #[expect(clippy::too_many_arguments, reason = "each is an argument of the field")]
    async fn initial_sync(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "How many rooms, from 1 to 100.")] first: Option<i32>,
        #[graphql(desc = "The `next` of the previous page; repeat the other arguments.")]
        after: Option<SyncCursorScalar>,
        #[graphql(desc = "Only changes since this position, up to which you synced or streamed.")]
        since: Option<PositionScalar>,
        #[graphql(desc = "Only this room.")] room_id: Option<RoomIdScalar>,
        #[graphql(desc = "How many of the latest events of each room, from 1 to 100.")]
        timeline_limit: Option<i32>,
        #[graphql(desc = "The filter for rooms and their events.")] filter: Option<FilterBy>,
        #[graphql(desc = "Wait until the server shows at least this position, or answer STALE.")]
        min_position: Option<PositionScalar>,
    ) -> Result<InitialSync> {
        let (app, session) = (app(context), session(context));
        session.viewer()?;
        app.fresh(session, min_position.as_ref()).await?;
        app.fresh(session, since.as_ref()).await?;
        let filter = chosen(context, filter).await?;
        let room_id = room_id.map(|room| room.0);
        let arguments = SyncArguments { first, after, since, room_id, timeline_limit, filter };
        InitialSync::of(context, arguments).await
    }

    /// A room, by either its ID or an alias. Null if there is none that you may see.
    async fn room(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The room.")] by: RoomBy,
        #[graphql(desc = "Wait until the server shows at least this position, or answer STALE.")]
        min_position: Option<PositionScalar>,
    ) -> Result<Option<Room>> {
        let (app, session) = (app(context), session(context));
        session.viewer()?;
        app.fresh(session, min_position.as_ref()).await?;
        let id = match by {
            RoomBy::RoomId(id) => Some(id.0),
            RoomBy::Alias(alias) => app.models.view().alias(&alias.0).map(ToOwned::to_owned),
        };
        id.map_or(Ok(None), |id| Room::visible(context, id))
    }

    /// A user. Null if this server has no such user; of another server's users, it knows those that
    /// are in its rooms. Every user who invites somebody learns as much. Name and avatar are visible
    /// to every user of this server, or only to users who share a room with the user, as the
    /// operator sets it.
    async fn user(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The user.")] user_id: UserIdScalar,
        #[graphql(desc = "Wait until the server shows at least this position, or answer STALE.")]
        min_position: Option<PositionScalar>,
    ) -> Result<Option<User>> {
        let session = session(context);
        session.viewer()?;
        app(context).fresh(session, min_position.as_ref()).await?;
        User::found(context, user_id.0).await
    }

    /// The users of this server whose user name begins with a text, by user name. If the operator
    /// shows profiles only to users who share a room, only those and you.
    async fn users(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The beginning of the user name, without `@`.")] search: String,
        #[graphql(desc = "How many, from 1 to 100; 20 by default.")] first: Option<i32>,
        #[graphql(desc = "The cursor after which to continue.")] after: Option<String>,
    ) -> Result<UserConnection> {
        app(context).fresh(session(context), None).await?;
        let limit = page_size("first", first, PAGE_DEFAULT)?;
        Ok(users::search(context, &search, after.as_deref(), limit).await?)
    }

    /// The public directory of rooms, largest first; or that of another server, in its order. Fails with
    /// `SERVER_UNREACHABLE` if that server gives no usable answer.
    async fn public_rooms(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "How many, from 1 to 100.")] first: Option<i32>,
        #[graphql(desc = "The cursor after which to continue.")] after: Option<String>,
        #[graphql(desc = "Only rooms whose name, topic or alias contains this.")] search: Option<
            String,
        >,
        #[graphql(desc = "The server whose directory to read: this one by default.")]
        server: Option<ServerNameScalar>,
    ) -> Result<PublicRooms> {
        let session = session(context);
        session.viewer()?;
        app(context).fresh(session, None).await?;
        let limit = page_size("first", first, PAGE_DEFAULT)?;
        if let Some(ServerNameScalar(server)) =
            server.filter(|server| server.0 != *app(context).commands.server_name())
        {
            let (search, after) = (search.as_deref(), after.as_deref());
            let wanted = WantedElsewhere { search, after, limit };
            return Box::pin(PublicRooms::elsewhere(context, &server, wanted)).await;
        }
        PublicRooms::page(context, search.as_deref(), after.as_deref(), limit).await
    }

    /// The events after a position, as in `eventStream`: for clients that poll.
    async fn events(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The position after which to continue.")] after: PositionScalar,
        #[graphql(desc = "The filter for events.")] filter: Option<FilterBy>,
        #[graphql(desc = "How many commits to read at most, from 1 to 100.")] limit: Option<i32>,
    ) -> Result<EventChunk> {
        let (app, session) = (app(context), session(context));
        session.viewer()?;
        app.fresh(session, Some(&after)).await?;
        let filter = chosen(context, filter).await?;
        poll(context, &after, filter, page_size("limit", limit, PAGE_MAX)?).await
    }

    /// An event by its ID. Null if there is none that you may see.
    async fn event(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The event.")] event_id: EventIdScalar,
        #[graphql(desc = "Wait until the server shows at least this position, or answer STALE.")]
        min_position: Option<PositionScalar>,
    ) -> Result<Option<RoomEvent>> {
        let (app, session) = (app(context), session(context));
        let viewer = session.viewpoint()?;
        app.fresh(session, min_position.as_ref()).await?;
        let found = one_event(context, &event_id.0, &viewer).await?;
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

    /// Objects by their global IDs, in this order. Null for each that you may not see.
    async fn nodes(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The global IDs, at most 100.")] ids: Vec<ID>,
    ) -> Result<List<Option<Node>>> {
        let session = session(context);
        session.viewer()?;
        if ids.len() > PAGE_MAX {
            let message = format!("`ids` has {} entries: use at most {PAGE_MAX}", ids.len());
            return Err(Fault::bad_input(message).into());
        }
        app(context).fresh(session, None).await?;
        let mut nodes = Vec::with_capacity(ids.len());
        for id in &ids {
            nodes.push(node(context, id).await?);
        }
        Ok(nodes.into())
    }
}
