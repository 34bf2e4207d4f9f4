//! Who learns of changes.
//!
//! **Invariant:** nothing is queued for a reader: it has a set of what changed since it last
//! looked, and looks up the state of that when it does.
//! **Invariant:** a reader is woken only by what it wants and may know.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use parking_lot::{Mutex, RwLock};
use rookery_domain::{EphemeralKind, Filter, OwnedRoomId, OwnedUserId, RoomId, UserId};
use tokio::sync::Notify;

use crate::due::Subject;

/// Who may know what of whom.
///
/// **Invariant:** it calls nothing of [`Ephemeral`](crate::Ephemeral): the readers are locked.
pub trait Audience: Send + Sync + 'static {
    /// Calls `tell` for those of `listening` who have joined `room`. Telling one twice is allowed.
    fn of_room(&self, room: &RoomId, listening: &Listening<'_>, tell: &mut dyn FnMut(&UserId));

    /// Calls `tell` for those of `listening` who share a room with `user`, and for `user`.
    fn of_user(&self, user: &UserId, listening: &Listening<'_>, tell: &mut dyn FnMut(&UserId));
}

/// The users who have a reader.
pub struct Listening<'a>(&'a HashMap<OwnedUserId, Vec<Arc<Shared>>>);

impl Listening<'_> {
    /// How many there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// Whether `user` is one of them.
    #[must_use]
    pub fn has(&self, user: &UserId) -> bool {
        self.0.contains_key(user)
    }

    /// All of them.
    pub fn users(&self) -> impl Iterator<Item = &UserId> {
        self.0.keys().map(|user| &**user)
    }
}

/// What changed since a reader last looked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// Rooms in which others type than before.
    pub rooms: BTreeSet<OwnedRoomId>,
    /// Users whose presence is another than before.
    pub users: BTreeSet<OwnedUserId>,
}

impl Changes {
    /// Nothing has changed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rooms.is_empty() && self.users.is_empty()
    }
}

/// What a reader shares with those who ring its bell.
pub(crate) struct Shared {
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
}

/// All readers, by user.
#[derive(Default)]
pub(crate) struct Readers(RwLock<HashMap<OwnedUserId, Vec<Arc<Shared>>>>);

impl Readers {
    /// A new reader of `user`'s.
    pub(crate) fn open(self: &Arc<Self>, user: &UserId, wants: Arc<Filter>) -> Reader {
        let shared = Arc::new(Shared { wants, changes: Mutex::default(), bell: Notify::new() });
        self.0.write().entry(user.to_owned()).or_default().push(Arc::clone(&shared));
        Reader { readers: Arc::clone(self), user: user.to_owned(), shared }
    }

    /// Tells those who may know.
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
}

/// Learns of changes on behalf of one user.
pub struct Reader {
    readers: Arc<Readers>,
    user: OwnedUserId,
    shared: Arc<Shared>,
}

impl Reader {
    /// Waits until something has changed. What has changed stays until it is taken.
    pub async fn changed(&self) {
        while self.shared.changes.lock().is_empty() {
            self.shared.bell.notified().await;
        }
    }

    /// Takes what has changed.
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
