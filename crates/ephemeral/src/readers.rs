//! Readers of changes.
//!
//! **Invariant:** no change is queued for a reader. It has a set of the subjects that changed since
//! its last look, and reads their state then.
//! **Invariant:** a change wakes a reader only if the reader wants it and its user may know it.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use parking_lot::{Mutex, RwLock};
use rookery_domain::{EphemeralKind, Filter, OwnedRoomId, OwnedUserId, RoomId, UserId};
use tokio::sync::Notify;

use crate::due::Subject;

/// Decides which users may know of a change.
///
/// **Invariant:** an implementation calls nothing of [`Ephemeral`](crate::Ephemeral), because the
/// readers are locked.
pub trait Audience: Send + Sync + 'static {
    /// Calls `tell` for each user of `listening` who has joined `room`. It may call `tell` twice
    /// for one user.
    fn of_room(&self, room: &RoomId, listening: &Listening<'_>, tell: &mut dyn FnMut(&UserId));

    /// Calls `tell` for each user of `listening` who shares a room with `user`, and for `user`.
    fn of_user(&self, user: &UserId, listening: &Listening<'_>, tell: &mut dyn FnMut(&UserId));
}

/// The users who have a reader.
pub struct Listening<'a>(&'a HashMap<OwnedUserId, Vec<Arc<Shared>>>);

impl Listening<'_> {
    /// How many users have a reader.
    #[must_use]
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// Whether `user` has a reader.
    #[must_use]
    pub fn has(&self, user: &UserId) -> bool {
        self.0.contains_key(user)
    }

    /// All users who have a reader.
    pub fn users(&self) -> impl Iterator<Item = &UserId> {
        self.0.keys().map(|user| &**user)
    }
}

/// The changes since a reader's last look.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// Rooms whose typing users changed.
    pub rooms: BTreeSet<OwnedRoomId>,
    /// Users whose presence changed.
    pub users: BTreeSet<OwnedUserId>,
    /// Calls with new signals.
    pub calls: BTreeSet<Box<str>>,
}

impl Changes {
    /// Whether nothing changed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rooms.is_empty() && self.users.is_empty() && self.calls.is_empty()
    }
}

/// The state that a reader shares with the writers of changes.
pub(crate) struct Shared {
    device: Option<Box<str>>,
    wants: Arc<Filter>,
    changes: Mutex<Changes>,
    bell: Notify,
}

impl Shared {
    fn note(&self, subject: &Subject) {
        let is_new = match subject {
            Subject::Room(room) => {
                let wanted = self.wants.wants_ephemeral(EphemeralKind::Typing)
                    && self.wants.wants_room(room);
                wanted && self.changes.lock().rooms.insert(room.clone())
            }
            Subject::User(user) => {
                let wanted = self.wants.wants_ephemeral(EphemeralKind::Presence)
                    && self.wants.wants_presence_of(user);
                wanted && self.changes.lock().users.insert(user.clone())
            }
        };
        if is_new {
            self.bell.notify_one();
        }
    }

    fn note_call(&self, call: &str) {
        if self.changes.lock().calls.insert(call.into()) {
            self.bell.notify_one();
        }
    }
}

/// All readers, by user.
#[derive(Default)]
pub(crate) struct Readers(RwLock<HashMap<OwnedUserId, Vec<Arc<Shared>>>>);

impl Readers {
    /// Opens a reader for a device of `user`.
    pub(crate) fn open(
        self: &Arc<Self>,
        user: &UserId,
        device: Option<&str>,
        wants: Arc<Filter>,
    ) -> Reader {
        let (device, changes) = (device.map(Box::from), Mutex::default());
        let shared = Arc::new(Shared { device, wants, changes, bell: Notify::new() });
        self.0.write().entry(user.to_owned()).or_default().push(Arc::clone(&shared));
        Reader { readers: Arc::clone(self), user: user.to_owned(), shared }
    }

    /// Passes the changes to the readers of users who may know them.
    pub(crate) fn tell(&self, changed: &[Subject], audience: &dyn Audience) {
        if changed.is_empty() {
            return;
        }
        let readers = self.0.read();
        if readers.is_empty() {
            return;
        }
        let listening = Listening(&readers);
        for subject in changed {
            let mut tell = |user: &UserId| {
                let readers = readers.get(user).into_iter().flatten();
                readers.for_each(|reader| reader.note(subject));
            };
            match subject {
                Subject::Room(room) => audience.of_room(room, &listening, &mut tell),
                Subject::User(user) => audience.of_user(user, &listening, &mut tell),
            }
        }
    }

    /// Passes a call with new signals to the readers of a device, or of all devices of a user.
    pub(crate) fn tell_call(&self, user: &UserId, device: Option<&str>, call: &str) {
        let readers = self.0.read();
        for reader in readers.get(user).into_iter().flatten() {
            if device.is_none() || reader.device.as_deref() == device {
                reader.note_call(call);
            }
        }
    }
}

/// Reads changes on behalf of one user.
pub struct Reader {
    readers: Arc<Readers>,
    user: OwnedUserId,
    shared: Arc<Shared>,
}

impl Reader {
    /// Waits for a change. The changes stay until they are taken.
    pub async fn changed(&self) {
        while self.shared.changes.lock().is_empty() {
            self.shared.bell.notified().await;
        }
    }

    /// Takes the changes.
    #[must_use]
    pub fn take(&self) -> Changes {
        std::mem::take(&mut *self.shared.changes.lock())
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        let mut readers = self.readers.0.write();
        if let Some(of_user) = readers.get_mut(&self.user) {
            of_user.retain(|other| !Arc::ptr_eq(other, &self.shared));
            if of_user.is_empty() {
                readers.remove(&self.user);
            }
        }
    }
}
