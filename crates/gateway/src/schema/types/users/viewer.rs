//! The viewer, with the data that only they can see.

use async_graphql::{Context, Object, Result};

use super::user::{Device, User};
use crate::schema::{
    context::{App, PAGE_MAX, Session, app, page_size, session},
    reads::reads,
    types::{
        errors::fault::Fault,
        filter::{FilterShown, StoredFilter},
        values::{list::List, scalars::PositionScalar},
    },
};

/// Filters on a page, by default.
pub(crate) const FILTERS_DEFAULT: usize = 20;

/// You, and the data that only you can see.
pub(crate) struct Viewer {
    user: User,
    position: PositionScalar,
}

impl Viewer {
    /// The logged-in user.
    pub(crate) fn of(app: &App, session: &Session) -> Result<Self, Fault> {
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

    /// Whether you administer this server.
    async fn is_admin(&self, context: &Context<'_>) -> bool {
        session(context).admin().is_ok()
    }

    /// The filters that you have stored, by ID.
    async fn filters(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "How many, from 1 to 100; 20 by default.")] first: Option<i32>,
        #[graphql(desc = "The `filterId` after which to continue.")] after: Option<String>,
    ) -> Result<List<StoredFilter>> {
        let limit = page_size("first", first, FILTERS_DEFAULT)?;
        let user = session(context).viewer()?;
        let (reads, after) = (reads(context), after.as_deref());
        reads.pause().await?;
        let stored = app(context).models.view().filters_after(user, after, limit);
        // Reading a filter takes as long as reading a small event.
        reads.look_at(stored.len())?;
        let shown = |(filter_id, filter)| StoredFilter { filter_id, filter: FilterShown(filter) };
        Ok(stored.into_iter().map(shown).collect())
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
        #[graphql(desc = "The `deviceId` after which to continue.")] after: Option<String>,
    ) -> Result<List<Device>> {
        let limit = page_size("first", first, PAGE_MAX)?;
        let user = session(context).viewer()?;
        reads(context).pause().await?;
        let accounts = &app(context).accounts;
        let devices = accounts.devices_after(user.as_str(), after.as_deref(), limit);
        let devices = devices.map_err(|fault| Fault::accounts_unavailable(&fault))?;
        Ok(devices.into_iter().map(Device).collect())
    }
}
