//! You, and what is only for you.

use async_graphql::{Context, Object, Result};

use super::{
    context::{App, Session},
    fault::Fault,
    filter::{FilterShown, StoredFilter},
    scalars::PositionScalar,
    user::{Device, User},
};

/// You, and what is only for you.
pub(crate) struct Viewer {
    user: User,
    position: PositionScalar,
}

impl Viewer {
    /// Who is logged in.
    pub(crate) fn of(app: &App, session: &Session) -> Result<Self, Fault> {
        let user = User::new(session.viewer()?.to_owned());
        Ok(Self { user, position: app.token(app.models.view().position()) })
    }
}

/// You, and what is only for you.
#[Object]
impl Viewer {
    /// You.
    async fn user(&self) -> User {
        self.user.clone()
    }

    /// Where the server is in its log.
    async fn position(&self) -> &PositionScalar {
        &self.position
    }

    /// Whether you administer this server.
    async fn is_admin(&self, context: &Context<'_>) -> bool {
        super::context::session(context).admin().is_ok()
    }

    /// The filters that you have stored, by ID.
    async fn filters(&self, context: &Context<'_>) -> Result<Vec<StoredFilter>> {
        let user = super::context::session(context).viewer()?;
        let stored = super::context::app(context).models.view().filters(user);
        let shown = |(filter_id, filter)| StoredFilter { filter_id, filter: FilterShown(filter) };
        Ok(stored.into_iter().map(shown).collect())
    }

    /// The device that asks.
    async fn device(&self, context: &Context<'_>) -> Result<Device> {
        let session = super::context::session(context);
        let (user, device) = (session.viewer()?, session.device_id()?);
        let devices = super::context::app(context).accounts.devices(user.as_str());
        let devices = devices.map_err(|fault| Fault::accounts_unavailable(&fault))?;
        let own = devices.into_iter().find(|known| known.device_id == device);
        Ok(own.map(Device).ok_or_else(Fault::unauthenticated)?)
    }

    /// Your devices.
    async fn devices(&self, context: &Context<'_>) -> Result<Vec<Device>> {
        let user = super::context::session(context).viewer()?;
        let devices = super::context::app(context).accounts.devices(user.as_str());
        let devices = devices.map_err(|fault| Fault::accounts_unavailable(&fault))?;
        Ok(devices.into_iter().map(Device).collect())
    }
}
