//! The home screen: what a client shows first, and where its stream goes on.

use async_graphql::{Context, Object, Result};
use rookery_log::{Position, PositionToken};
use rookery_query::Membership;

use super::{
    context::{App, Session, page_size},
    fault::Fault,
    filter::{FilterShown, StoredFilter},
    room::Room,
    scalars::PositionScalar,
    user::{Device, User},
};

/// Rooms on a page, if you do not say how many.
const PAGE_DEFAULT: usize = 20;

/// Invites shown at most.
const INVITES_MAX: usize = 100;

/// Everything a client needs to show its first screen.
pub(crate) struct InitialSync {
    rooms: Vec<Room>,
    next: Option<PositionToken>,
    invites: Vec<Room>,
    user: User,
    position: PositionToken,
}

impl InitialSync {
    /// A page of the viewer's rooms, with everything else at the same position.
    pub(crate) fn of(
        app: &App,
        session: &Session,
        first: Option<i32>,
        after: Option<&PositionScalar>,
    ) -> Result<Self, Fault> {
        let limit = page_size("first", first, PAGE_DEFAULT)?;
        let before = after.map(|after| app.position(after)).transpose()?;
        let viewer = session.viewer()?;
        let view = app.models.view();
        let page = view.rooms_of(viewer, Membership::Join, before, limit);
        let position = view.position();
        let room = |room: &rookery_query::RoomView<'_>| Room::at(room, position);
        let invites = view.rooms_of(viewer, Membership::Invite, None, INVITES_MAX);
        let token = |position: Position| app.token(position).0;
        Ok(Self {
            rooms: page.rooms.iter().map(room).collect(),
            next: page.next.map(token),
            invites: invites.rooms.iter().map(room).collect(),
            user: User::new(viewer.to_owned()),
            position: token(position),
        })
    }
}

/// Everything a client needs to show its first screen.
#[Object]
impl InitialSync {
    /// You.
    async fn user(&self) -> User {
        self.user.clone()
    }

    /// A page of the rooms that you have joined, the most recently active first.
    async fn rooms(&self) -> Vec<Room> {
        self.rooms.clone()
    }

    /// Give it as `after` for the next page. Null if there are no more rooms.
    async fn next(&self) -> Option<PositionScalar> {
        self.next.map(PositionScalar)
    }

    /// The rooms that you are invited to.
    async fn invites(&self) -> Vec<Room> {
        self.invites.clone()
    }

    /// Follow `eventStream` from here: it goes on exactly where this ends.
    async fn position(&self) -> PositionScalar {
        PositionScalar(self.position)
    }
}

/// You, and what is only for you.
pub(crate) struct Viewer {
    user: User,
    position: PositionToken,
}

impl Viewer {
    /// Who is logged in.
    pub(crate) fn of(app: &App, session: &Session) -> Result<Self, Fault> {
        let user = User::new(session.viewer()?.to_owned());
        Ok(Self { user, position: app.token(app.models.view().position()).0 })
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
    async fn position(&self) -> PositionScalar {
        PositionScalar(self.position)
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
        let devices = devices.map_err(|error| Fault::unavailable(&error.reason))?;
        let own = devices.into_iter().find(|known| known.device_id == device);
        Ok(own.map(Device).ok_or_else(Fault::unauthenticated)?)
    }

    /// Your devices.
    async fn devices(&self, context: &Context<'_>) -> Result<Vec<Device>> {
        let user = super::context::session(context).viewer()?;
        let devices = super::context::app(context).accounts.devices(user.as_str());
        let devices = devices.map_err(|error| Fault::unavailable(&error.reason))?;
        Ok(devices.into_iter().map(Device).collect())
    }
}
