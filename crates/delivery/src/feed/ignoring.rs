//! The users whom the owner of a subscription ignores.
//!
//! **Invariant:** the list of the moment at which a subscription opens also decides for older
//! commits. A subscription that catches up never delivers a message of a user who is ignored
//! now because they were not ignored then.

use rookery_domain::{AccountEvent, Fact, IgnoredUsers, UserId};
use rookery_log::Position;
use rookery_projection::Committed;
use rookery_view::View;

/// The ignored users of a subscription: those of a moment, and then as commits change them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ignoring {
    users: IgnoredUsers,
    /// The list has the changes up to here.
    position: Position,
}

impl Ignoring {
    /// The users whom `user` ignores now.
    pub(crate) fn now(view: &View<'_>, user: &UserId) -> Self {
        Self { users: view.ignored_by(user), position: view.position() }
    }

    /// The list.
    pub(super) fn users(&self) -> &IgnoredUsers {
        &self.users
    }

    /// Folds the changes in a commit of the user's own stream, unless the list has them.
    pub(super) fn fold(&mut self, committed: &Committed) {
        if committed.position <= self.position {
            return;
        }
        for fact in committed.facts.iter().flatten() {
            match fact {
                Fact::Account(AccountEvent::UserIgnored { user_id }) => {
                    self.users.set(user_id, true);
                }
                Fact::Account(AccountEvent::UserUnignored { user_id }) => {
                    self.users.set(user_id, false);
                }
                _ => {}
            }
        }
    }
}
