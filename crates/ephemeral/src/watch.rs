//! The changes of all users of this server, for the sender to other servers.
//!
//! **Invariant:** a change that is not taken yet is kept once, however often it comes. Memory is bounded.

use std::collections::BTreeSet;

use parking_lot::Mutex;
use rookery_domain::{OwnedRoomId, OwnedServerName, OwnedUserId};
use tokio::sync::Notify;

use crate::due::Subject;

/// Most changes that wait. Later ones are left out: the server repeats each state while it lasts.
const CHANGES_MAX: usize = 20_000;

/// Rooms and users whose state changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Watched {
    /// Rooms whose typing users changed.
    pub rooms: BTreeSet<OwnedRoomId>,
    /// Users of this server whose presence changed.
    pub users: BTreeSet<OwnedUserId>,
}

/// Learns of the changes. See [`Ephemeral::watch`](crate::Ephemeral::watch).
pub struct Watch {
    own: OwnedServerName,
    changes: Mutex<Watched>,
    bell: Notify,
}

impl Watch {
    pub(crate) fn new(own: OwnedServerName) -> Self {
        Self { own, changes: Mutex::default(), bell: Notify::new() }
    }

    pub(crate) fn note(&self, changed: &[Subject]) {
        let mut waiting = self.changes.lock();
        for subject in changed {
            if waiting.rooms.len() + waiting.users.len() >= CHANGES_MAX {
                return;
            }
            let is_new = match subject {
                Subject::Room(room) => waiting.rooms.insert(room.clone()),
                Subject::User(user) => {
                    user.server_name() == self.own && waiting.users.insert(user.clone())
                }
            };
            if is_new {
                self.bell.notify_one();
            }
        }
    }

    /// Waits for a change. The changes stay until they are taken.
    pub async fn changed(&self) {
        loop {
            let is_empty = {
                let changes = self.changes.lock();
                changes.rooms.is_empty() && changes.users.is_empty()
            };
            if !is_empty {
                return;
            }
            self.bell.notified().await;
        }
    }

    /// Takes the changes.
    #[must_use]
    pub fn take(&self) -> Watched {
        std::mem::take(&mut *self.changes.lock())
    }
}
