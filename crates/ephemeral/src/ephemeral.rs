//! Typing and presence as the rest of the server uses them: behind a lock, with a clock.
//!
//! **Invariant:** the lock of the state is never held while anything else is called, so that it may
//! be taken wherever one likes.

use std::{sync::Arc, time::Duration};

use parking_lot::Mutex;
use rookery_domain::{Filter, OwnedRoomId, OwnedUserId, RoomId, UserId};
use tokio::sync::Notify;

use crate::{
    Audience, Now, Presence, Reader, Shown, TYPING_MAX,
    readers::Readers,
    state::{Changed, State},
};

/// Who types where, and who is there. Cheap to clone; all clones are the same.
#[derive(Clone)]
pub struct Ephemeral {
    inner: Arc<Inner>,
}

struct Inner {
    state: Mutex<State>,
    readers: Arc<Readers>,
    audience: Box<dyn Audience>,
    clock: Box<dyn Fn() -> Now + Send + Sync>,
    /// Something ends earlier than all that was known of.
    earlier: Notify,
}

impl Inner {
    fn change(&self, change: impl FnOnce(&mut State, Now) -> Changed) {
        let now = (self.clock)();
        let (changed, is_earlier) = {
            let mut state = self.state.lock();
            let before = state.due.next();
            let changed = change(&mut state, now);
            let next = state.due.next();
            (changed, next.is_some_and(|next| before.is_none_or(|before| next < before)))
        };
        if is_earlier {
            self.earlier.notify_one();
        }
        self.readers.tell(&changed, &*self.audience);
    }
}

impl Ephemeral {
    /// Nobody is there yet. `audience` says who may know what; `clock` is read once for each call.
    #[must_use]
    pub fn new(audience: impl Audience, clock: impl Fn() -> Now + Send + Sync + 'static) -> Self {
        let inner = Inner {
            state: Mutex::default(),
            readers: Arc::default(),
            audience: Box::new(audience),
            clock: Box::new(clock),
            earlier: Notify::new(),
        };
        Self { inner: Arc::new(inner) }
    }

    /// Ends what has gone on for long enough, for as long as this is polled. Run it once.
    pub async fn run(&self) {
        loop {
            let mut next = None;
            self.inner.change(|state, now| {
                let changed = state.sweep(now);
                next = state.due.next();
                changed
            });
            let until = async {
                match next {
                    Some(next) => tokio::time::sleep_until(next.into()).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = until => {}
                () = self.inner.earlier.notified() => {}
            }
        }
    }

    /// A device types in a room, which its user has joined, for so long (at most
    /// [`TYPING_MAX`]); or it types no more.
    pub fn type_in(&self, room: &RoomId, user: &UserId, device: &str, how_long: Option<Duration>) {
        let how_long = how_long.map(|how_long| how_long.min(TYPING_MAX));
        self.inner.change(|state, now| state.type_in(room, user, device, how_long, now));
    }

    /// A user has left a room.
    pub fn left(&self, room: &RoomId, user: &UserId) {
        self.inner.change(|state, now| state.stop_user(room, user, now));
    }

    /// Whether anybody types anywhere.
    #[must_use]
    pub fn somebody_types(&self) -> bool {
        self.inner.state.lock().typing.rooms().len() > 0
    }

    /// Who types in a room, by user ID.
    #[must_use]
    pub fn typing(&self, room: &RoomId) -> Vec<OwnedUserId> {
        self.inner.state.lock().typing.users(room).cloned().collect()
    }

    /// Up to `limit` of those who type in a room, by user ID, after a user if one is given.
    #[must_use]
    pub fn typing_after(
        &self,
        room: &RoomId,
        after: Option<&UserId>,
        limit: usize,
    ) -> Vec<OwnedUserId> {
        let state = self.inner.state.lock();
        let users = state.typing.users(room).filter(|user| after.is_none_or(|it| ***user > *it));
        users.take(limit).cloned().collect()
    }

    /// Whether a user types in a room.
    #[must_use]
    pub fn types_in(&self, room: &RoomId, user: &UserId) -> bool {
        self.inner.state.lock().typing.has(room, user)
    }

    /// The rooms in which somebody types.
    #[must_use]
    pub fn typing_rooms(&self) -> Vec<OwnedRoomId> {
        self.inner.state.lock().typing.rooms().cloned().collect()
    }

    /// A socket of a device has opened; it has closed when this is dropped.
    #[must_use]
    pub fn connected(&self, user: &UserId, device: &str) -> Connection {
        self.inner.change(|state, now| state.connected(user, device, now));
        Connection {
            inner: Arc::clone(&self.inner),
            user: user.to_owned(),
            device: device.to_owned(),
        }
    }

    /// The session of a device has ended, in whatever way: the device types nowhere any more.
    pub fn logged_out(&self, user: &UserId, device: &str) {
        self.inner.change(|state, now| state.logged_out(user, device, now));
    }

    /// A device without a socket has asked what there is new.
    pub fn polled(&self, user: &UserId, device: &str) {
        self.inner.change(|state, now| state.polled(user, device, now));
    }

    /// A device says what its user wants to be shown as, for as long as the device is connected.
    pub fn choose(&self, user: &UserId, device: &str, presence: Presence, status: Option<String>) {
        self.inner.change(|state, now| state.choose(user, device, presence, status, now));
    }

    /// A user has done something.
    pub fn active(&self, user: &UserId) {
        let now = (self.inner.clock)();
        self.inner.state.lock().presences.active(user, now);
    }

    /// What is shown of a user.
    #[must_use]
    pub fn presence(&self, user: &UserId) -> Shown {
        self.inner.state.lock().presences.shown(user)
    }

    /// Up to `limit` of `users` who are there. Without `users`, of all.
    #[must_use]
    pub fn there(&self, users: Option<&[OwnedUserId]>, limit: usize) -> Vec<OwnedUserId> {
        let state = self.inner.state.lock();
        match users {
            Some(users) => {
                let there = users.iter().filter(|user| state.presences.is_there(user));
                there.take(limit).cloned().collect()
            }
            None => state.presences.there().take(limit).cloned().collect(),
        }
    }

    /// How many users are there, about.
    #[must_use]
    pub fn there_count(&self) -> usize {
        self.inner.state.lock().presences.len()
    }

    /// A reader on behalf of `user`, which learns of what the filter lets pass.
    #[must_use]
    pub fn reader(&self, user: &UserId, wants: Arc<Filter>) -> Reader {
        self.inner.readers.open(user, wants)
    }
}

/// An open socket of a device.
pub struct Connection {
    inner: Arc<Inner>,
    user: OwnedUserId,
    device: String,
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.inner.change(|state, now| state.disconnected(&self.user, &self.device, now));
    }
}
