//! Ignored users: whose messages a viewer does not get.
//!
//! **Invariant:** the list at the time of the read decides, for events of any age. So a viewer who
//! ignores a user no longer finds their messages in the places that they always had.
//! **Invariant:** an event that ignoring hides is passed over like one that a filter excludes: it
//! moves no cursor, no position and no sequence number.

use rookery_domain::{IgnoredUsers, UserId};
use rookery_projection::Models;

use crate::{RoomView, View, Viewer};

/// The users whom `user` ignores.
pub(super) fn ignored_by(models: &Models, user: &UserId) -> IgnoredUsers {
    let preferences = models.user(user).and_then(|user| models.preferences(user));
    preferences.map(|preferences| preferences.ignored().clone()).unwrap_or_default()
}

impl View<'_> {
    /// The users whom `user` ignores.
    #[must_use]
    pub fn ignored_by(&self, user: &UserId) -> IgnoredUsers {
        ignored_by(self.models(), user)
    }

    /// The users whom a viewer ignores. The server ignores nobody.
    #[must_use]
    pub fn ignored(&self, viewer: &Viewer) -> IgnoredUsers {
        match viewer {
            Viewer::User(user) => self.ignored_by(user),
            Viewer::Server => IgnoredUsers::default(),
        }
    }
}

impl RoomView<'_> {
    /// Whether `user` is invited by a user whom they ignore. Such an invite is not shown.
    #[must_use]
    pub fn is_invite_ignored(&self, user: &UserId, ignored: &IgnoredUsers) -> bool {
        self.inviter_of(user).is_some_and(|inviter| ignored.contains(inviter))
    }
}
