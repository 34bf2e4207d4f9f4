//! Typing, presence and signals of calls on the stream: the state when it opens, then its changes.
//!
//! **Invariant:** the stream sends the state at the time of sending, and only to users who may know
//! it then. Typing is for the members of the room, presence for users who share a room. Signals are
//! for the devices that they name.

use std::{collections::BTreeSet, sync::Arc};

use async_graphql::{ComplexObject, Context, Result, SimpleObject, Union};
use rookery_domain::{EphemeralKind, Filter, OwnedUserId, UserId};
use rookery_ephemeral::{Changes, Reader, SignalCursor};
use rookery_schema::{
    context::{App, app, page_size},
    types::{
        rooms::{
            room::Room,
            typing::{TYPING_DEFAULT, TYPISTS_MAX, typists},
        },
        users::{
            pages::UserConnection,
            presence::{PresenceEnum, UserPresence},
            user::User,
        },
        values::{
            connection::Page,
            scalars::{DateTime, UserIdScalar},
        },
    },
};
use rookery_view::Unmetered;

use super::signals::CallSignal;

/// How many users' presence comes when a stream opens, at most.
const PRESENCES_MAX: usize = 500;

/// How many users are checked for that, at most.
const COMPANIONS_MAX: usize = 5_000;

/// The typing users of a room changed.
#[derive(Clone, SimpleObject)]
#[graphql(complex)]
pub(crate) struct TypingChanged {
    /// The room.
    room: Room,
    #[graphql(skip)]
    typists: Vec<OwnedUserId>,
}

#[ComplexObject]
impl TypingChanged {
    /// Users who are typing, ordered by user ID; you too.
    async fn users(
        &self,
        #[graphql(desc = "How many, from 1 to 100; 20 by default.")] first: Option<i32>,
        #[graphql(desc = "The cursor after which to continue.")] after: Option<String>,
    ) -> Result<UserConnection> {
        let limit = page_size("first", first, TYPING_DEFAULT)?;
        let room = self.room.matrix_id();
        let page = Page::of(self.typists.iter(), limit, after.as_deref(), ToString::to_string)?;
        Ok(UserConnection(page.map(|user| User::in_room(user.clone(), room.clone()))))
    }
}

/// The presence of a user changed.
#[derive(Clone, SimpleObject)]
pub(crate) struct PresenceChanged {
    /// The user.
    user: User,
    /// The user, by ID.
    user_id: UserIdScalar,
    /// The presence.
    presence: PresenceEnum,
    /// The user's status message.
    status_message: Option<String>,
    /// When the user was last active. Null if the server does not remember.
    last_active_at: Option<DateTime>,
}

/// State that is true now and is not stored.
#[derive(Clone, Union)]
pub(crate) enum EphemeralItem {
    /// The typing users of a room.
    Typing(TypingChanged),
    /// The presence of a user.
    Presence(PresenceChanged),
    /// The other device of a call says how to connect with it.
    Signal(CallSignal),
}

/// The typing, presence and signals of one stream.
pub(crate) struct News {
    reader: Reader,
    device: Option<String>,
    signals: SignalCursor,
    /// Nothing was sent yet, so the whole state is new.
    is_first: bool,
}

impl News {
    /// The updates for `user`, if they are requested.
    pub(crate) fn open(
        context: &Context<'_>,
        (user, device): (&UserId, Option<&str>),
        filter: &Arc<Filter>,
    ) -> Option<Self> {
        let asked = context.look_ahead().field("ephemeral").exists();
        asked.then(|| Self {
            reader: app(context).ephemeral.reader(user, device, Arc::clone(filter)),
            device: device.map(ToOwned::to_owned),
            signals: SignalCursor::default(),
            is_first: true,
        })
    }

    /// Waits for an update.
    pub(crate) async fn changed(&self) {
        if !self.is_first {
            self.reader.changed().await;
        }
    }

    /// The updates.
    pub(crate) fn take(
        &mut self,
        app: &App,
        viewer: &UserId,
        filter: &Filter,
    ) -> Vec<EphemeralItem> {
        let mut changes = self.reader.take();
        if std::mem::take(&mut self.is_first) {
            changes = all(app, viewer, filter);
        }
        let calls = std::mem::take(&mut changes.calls);
        let mut items = tell(app, viewer, changes);
        items.extend(self.signals(app, viewer, calls));
        items
    }

    /// The signals of `calls` that this stream has not had.
    fn signals(
        &mut self,
        app: &App,
        viewer: &UserId,
        calls: BTreeSet<Box<str>>,
    ) -> Vec<EphemeralItem> {
        let Some(device) = self.device.as_deref().filter(|_| !calls.is_empty()) else {
            return Vec::new();
        };
        let signals = self.signals.take(&app.ephemeral, (viewer, device), calls);
        let view = app.models.view();
        let item = |(call, signal): (Box<str>, Arc<_>)| {
            let call = view.own_call(viewer, &call.parse().ok()?)?;
            Some(EphemeralItem::Signal(CallSignal::of(&call, &signal)))
        };
        signals.into_iter().filter_map(item).collect()
    }
}

fn all(app: &App, viewer: &UserId, filter: &Filter) -> Changes {
    let calls = app.ephemeral.signaling_calls_of(viewer).into_iter().collect();
    let mut changes = Changes { calls, ..Changes::default() };
    if filter.wants_ephemeral(EphemeralKind::Typing) {
        let rooms = app.ephemeral.typing_rooms().into_iter();
        let view = app.models.view();
        changes.rooms =
            rooms.filter(|room| filter.wants_room(room) && view.is_joined(room, viewer)).collect();
    }
    if filter.wants_ephemeral(EphemeralKind::Presence) {
        let there = if app.ephemeral.there_count() <= PRESENCES_MAX {
            app.ephemeral.there(None, PRESENCES_MAX)
        } else {
            let companions = app.models.view().companions(viewer, COMPANIONS_MAX);
            app.ephemeral.there(Some(&companions), PRESENCES_MAX)
        };
        changes.users = there.into_iter().filter(|user| filter.wants_presence_of(user)).collect();
    }
    changes
}

fn tell(app: &App, viewer: &UserId, changes: Changes) -> Vec<EphemeralItem> {
    let view = app.models.view();
    let rooms = changes.rooms.into_iter().filter(|room| view.is_joined(room, viewer));
    let typing = rooms.map(|room| {
        let typists = typists(app, &view, (&room, viewer), (None, TYPISTS_MAX));
        EphemeralItem::Typing(TypingChanged { room: Room::new(room), typists })
    });
    let users = changes.users.into_iter();
    let sees = |user: &OwnedUserId| view.sees_presence(user, viewer, &Unmetered);
    let users = users.filter(|user| sees(user).is_ok_and(|sees| sees));
    let presences = users.map(|user| {
        let shown = UserPresence::from(app.ephemeral.presence(&user));
        let UserPresence { presence, status_message, last_active_at } = shown;
        let user_id = UserIdScalar(user.clone());
        let user = User::new(user);
        EphemeralItem::Presence(PresenceChanged {
            user,
            user_id,
            presence,
            status_message,
            last_active_at,
        })
    });
    typing.chain(presences).collect()
}
