//! The viewer, with the data that only they can see.

use async_graphql::{Context, Object, Result};

use super::{
    account_data::{self, AccountDataConnection, DataArguments},
    consumers::{self, ConsumerConnection},
    pages::{self, UserConnection},
    user::{Device, MembershipEnum, User},
};
use crate::{
    context::{App, PAGE_MAX, Session, app, page_size, session},
    reads::reads,
    types::{
        calls::call::Call,
        errors::fault::Fault,
        filter::{FilterShown, StoredFilter},
        outgoing_webhooks::{self, OutgoingWebhookConnection},
        rooms::pages::{ListedRooms, RoomConnection, rooms_of_viewer},
        values::{
            connection::{Page, connection, key},
            scalars::PositionScalar,
        },
    },
};

connection!(DeviceConnection, DeviceEdge, Device, "A page of your devices.");
connection!(StoredFilterConnection, StoredFilterEdge, StoredFilter, "A page of your filters.");

/// Filters on a page, by default.
pub const FILTERS_DEFAULT: usize = 20;

/// You, and the data that only you can see.
pub struct Viewer {
    user: User,
    position: PositionScalar,
}

impl Viewer {
    /// The logged-in user.
    pub fn of(app: &App, session: &Session) -> Result<Self, Fault> {
        let user = User::new(session.viewer()?.to_owned());
        Ok(Self { user, position: app.token(app.models.view().position()) })
    }
}

/// You, and the data that only you can see.
#[Object]
impl Viewer {
    /// You.
    async fn user(&self) -> User {
        self.user.clone()
    }

    /// The server's position in its log.
    async fn position(&self) -> &PositionScalar {
        &self.position
    }

    /// Your call now: the one that you are in, else one that rings for you. Null if there is none.
    async fn call(&self, context: &Context<'_>) -> Result<Option<Call>> {
        let viewer = session(context).viewer()?;
        Ok(app(context).models.view().call_of(viewer).map(Call::from))
    }

    /// Whether you administer this server.
    async fn is_admin(&self, context: &Context<'_>) -> bool {
        session(context).admin().is_ok()
    }

    /// The filters that you have stored, by ID.
    async fn filters(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "How many, from 1 to 100; 20 by default.")] first: Option<i32>,
        #[graphql(desc = "The cursor after which to continue.")] after: Option<String>,
    ) -> Result<StoredFilterConnection> {
        let limit = page_size("first", first, FILTERS_DEFAULT)?;
        let user = session(context).viewer()?;
        let (reads, after) = (reads(context), after.as_deref().map(key).transpose()?);
        reads.pause().await?;
        let stored = app(context).models.view().filters_after(user, after.as_deref(), limit + 1);
        // Reading a filter takes as long as reading a small event.
        reads.look_at(stored.len())?;
        let shown = |(filter_id, filter): (String, _)| StoredFilter {
            filter_id: filter_id.into(),
            filter: FilterShown(filter),
        };
        let stored = stored.into_iter().map(shown).collect();
        let key = |filter: &StoredFilter| filter.filter_id.to_string();
        Ok(StoredFilterConnection(Page::read(stored, limit, after.is_some(), key)))
    }

    /// The users whom you ignore, by ID.
    async fn ignored_users(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "How many, from 1 to 100.")] first: Option<i32>,
        #[graphql(desc = "The cursor after which to continue.")] after: Option<String>,
    ) -> Result<UserConnection> {
        Ok(pages::ignored(context, first, after.as_deref()).await?)
    }

    /// Your account data about no room, by type.
    async fn account_data(
        &self,
        context: &Context<'_>,
        #[graphql(name = "type", desc = "Only this type.")] kind: Option<String>,
        #[graphql(desc = "How many, from 1 to 100; 20 by default.")] first: Option<i32>,
        #[graphql(desc = "The cursor after which to continue.")] after: Option<String>,
    ) -> Result<AccountDataConnection> {
        Box::pin(account_data::page(context, None, DataArguments { kind, first, after })).await
    }

    /// The rooms in which you have a membership, most recently active first.
    async fn rooms(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "How many, from 1 to 100; 20 by default.")] first: Option<i32>,
        #[graphql(desc = "The cursor after which to continue.")] after: Option<String>,
        #[graphql(
            desc = "Your membership: the rooms that you have joined by default.",
            default_with = "MembershipEnum::Join"
        )]
        membership: MembershipEnum,
    ) -> Result<RoomConnection> {
        rooms_of_viewer(context, first, after.as_deref(), ListedRooms::With(membership)).await
    }

    /// The favourite rooms that you have joined, most recently active first.
    async fn favourite_rooms(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "How many, from 1 to 100; 20 by default.")] first: Option<i32>,
        #[graphql(desc = "The cursor after which to continue.")] after: Option<String>,
    ) -> Result<RoomConnection> {
        rooms_of_viewer(context, first, after.as_deref(), ListedRooms::Favourites).await
    }

    /// Your consumers, by name.
    async fn consumers(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "How many, from 1 to 100; 20 by default.")] first: Option<i32>,
        #[graphql(desc = "The cursor after which to continue.")] after: Option<String>,
    ) -> Result<ConsumerConnection> {
        let user = session(context).viewer()?.to_owned();
        consumers::page(context, Some(user), (first, after)).await
    }

    /// Your outgoing webhooks, by ID.
    async fn outgoing_webhooks(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "How many, from 1 to 100; 20 by default.")] first: Option<i32>,
        #[graphql(desc = "The cursor after which to continue.")] after: Option<String>,
    ) -> Result<OutgoingWebhookConnection> {
        let user = session(context).viewer()?.to_owned();
        outgoing_webhooks::page(context, Some(user), (first, after)).await
    }

    /// The device of this request.
    async fn device(&self, context: &Context<'_>) -> Result<Device> {
        let session = session(context);
        let (user, device) = (session.viewer()?, session.device_id()?);
        let own = app(context).accounts.device(user.as_str(), device);
        let own = own.map_err(|fault| Fault::accounts_unavailable(&fault))?;
        Ok(own.map(Device).ok_or_else(Fault::unauthenticated)?)
    }

    /// Your devices, by ID.
    async fn devices(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "How many, from 1 to 100.")] first: Option<i32>,
        #[graphql(desc = "The cursor after which to continue.")] after: Option<String>,
    ) -> Result<DeviceConnection> {
        let limit = page_size("first", first, PAGE_MAX)?;
        let user = session(context).viewer()?;
        reads(context).pause().await?;
        let accounts = &app(context).accounts;
        let after = after.as_deref().map(key).transpose()?;
        let devices = accounts.devices_after(user.as_str(), after.as_deref(), limit + 1);
        let devices = devices.map_err(|fault| Fault::accounts_unavailable(&fault))?;
        let devices = devices.into_iter().map(Device).collect();
        let key = |device: &Device| device.0.device_id.clone();
        Ok(DeviceConnection(Page::read(devices, limit, after.is_some(), key)))
    }
}
