//! The presence of users.

use async_graphql::{Context, Enum, SimpleObject};
use rookery_domain::UserId;
use rookery_ephemeral::{Presence, Shown};
use rookery_log::Millis;

use crate::{
    context::{app, session},
    reads::reads,
    types::{errors::fault::Fault, values::scalars::DateTime},
};

/// The presence of a user.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(name = "Presence", remote = "Presence")]
pub enum PresenceEnum {
    /// Online.
    Online,
    /// Connected, but away or busy.
    Unavailable,
    /// Offline, or invisible.
    Offline,
}

/// The presence of a user: the best one of their devices.
#[derive(Clone, SimpleObject)]
pub struct UserPresence {
    /// The presence.
    pub presence: PresenceEnum,
    /// The user's status message.
    pub status_message: Option<String>,
    /// When the user was last active. Null if the server does not remember.
    pub last_active_at: Option<DateTime>,
}

impl From<Shown> for UserPresence {
    fn from(shown: Shown) -> Self {
        Self {
            presence: shown.presence.into(),
            status_message: shown.status_message,
            last_active_at: shown.last_active_millis.map(|millis| DateTime(Millis(millis))),
        }
    }
}

/// The presence of a user, if the viewer may see it.
pub fn presence_of(context: &Context<'_>, user: &UserId) -> Result<Option<UserPresence>, Fault> {
    let (app, viewer) = (app(context), session(context).viewer()?);
    let reads = reads(context);
    let sees = app.models.view().sees_presence(user, viewer, &reads);
    let sees = reads.found(sees)?.unwrap_or_default();
    Ok(sees.then(|| app.ephemeral.presence(user).into()))
}
