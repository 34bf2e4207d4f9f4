//! Typing, presence and signals for the rest of the server: the state behind locks, with a clock.
//!
//! **Invariant:** no lock of the state is held during a call of other code, so any code may take it.

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use parking_lot::Mutex;
use rookery_domain::{Filter, OwnedRoomId, OwnedServerName, OwnedUserId, RoomId, UserId};
use tokio::sync::Notify;

use crate::{
    Audience, Now, Presence, REMOTE_TYPING_LASTS, Reader, Shown, TYPING_MAX, Watch,
    calls::Calls,
    readers::Readers,
    state::{Changed, State},
};

/// Users who are typing, users who are online, and the signals of calls. Cheap to clone; all clones
/// share the state.
#[derive(Clone)]
pub struct Ephemeral {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    state: Mutex<State>,
    pub(crate) calls: Mutex<Calls>,
    pub(crate) readers: Arc<Readers>,
    audience: Box<dyn Audience>,
    pub(crate) clock: Box<dyn Fn() -> Now + Send + Sync>,
    /// Signals that some state ends earlier than all known ones.
    earlier: Notify,
    watch: OnceLock<Arc<Watch>>,
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
        if let Some(watch) = self.watch.get() {
            watch.note(&changed);
        }
        self.readers.tell(&changed, &*self.audience);
    }
}

impl Ephemeral {
    /// Starts with nobody online. `audience` decides which users may know of a change; `clock` is
    /// read once for each call.
    #[must_use]
    pub fn new(audience: impl Audience, clock: impl Fn() -> Now + Send + Sync + 'static) -> Self {
        let inner = Inner {
            state: Mutex::default(),
            calls: Mutex::default(),
            readers: Arc::default(),
            audience: Box::new(audience),
            clock: Box::new(clock),
            earlier: Notify::new(),
            watch: OnceLock::new(),
        };
        Self { inner: Arc::new(inner) }
    }

    /// Ends states whose time is over, while this is polled. Run it once.
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

    /// Sets that a device is typing in a room, which its user has joined, for this long (at most
    /// [`TYPING_MAX`]), or that it stopped.
    pub fn type_in(&self, room: &RoomId, user: &UserId, device: &str, how_long: Option<Duration>) {
        let how_long = how_long.map(|how_long| how_long.min(TYPING_MAX));
        self.inner.change(|state, now| state.type_in(room, user, device, how_long, now));
    }

    /// Sets that a user of another server, who has joined a room, is typing in it, or that they stopped. It ends after
    /// [`REMOTE_TYPING_LASTS`] unless it is set again. Users beyond the bounds are left out.
    pub fn type_remotely(&self, room: &RoomId, user: &UserId, is_typing: bool) {
        let how_long = is_typing.then_some(REMOTE_TYPING_LASTS);
        self.inner.change(|state, now| state.type_remotely(room, user, how_long, now));
    }

    /// Sets the presence of a user of another server, as that server says. It ends after
    /// [`REMOTE_PRESENCE_LASTS`](crate::REMOTE_PRESENCE_LASTS) unless it is set again. Users beyond the bounds are left
    /// out.
    pub fn appear(&self, user: &UserId, shown: Shown) {
        self.inner.change(|state, now| state.appear(user, shown, now));
    }

    /// From now on the changes of rooms, and of the users of `own`, are kept for one watcher. All calls return the same.
    #[must_use]
    pub fn watch(&self, own: OwnedServerName) -> Arc<Watch> {
        Arc::clone(self.inner.watch.get_or_init(|| Arc::new(Watch::new(own))))
    }

    /// Records that a user left a room.
    pub fn left(&self, room: &RoomId, user: &UserId) {
        self.inner.change(|state, now| state.stop_user(room, user, now));
    }

    /// Whether any user is typing in any room.
    #[must_use]
    pub fn somebody_types(&self) -> bool {
        self.inner.state.lock().typing.rooms().len() > 0
    }

    /// The users who are typing in a room, ordered by user ID.
    #[must_use]
    pub fn typing(&self, room: &RoomId) -> Vec<OwnedUserId> {
        self.inner.state.lock().typing.users(room).cloned().collect()
    }

    /// Up to `limit` users who are typing in a room, ordered by user ID, after a given user.
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

    /// Whether a user is typing in a room.
    #[must_use]
    pub fn types_in(&self, room: &RoomId, user: &UserId) -> bool {
        self.inner.state.lock().typing.has(room, user)
    }

    /// The rooms in which a user is typing.
    #[must_use]
    pub fn typing_rooms(&self) -> Vec<OwnedRoomId> {
        self.inner.state.lock().typing.rooms().cloned().collect()
    }

    /// Records that a device opened a socket. The socket counts as closed when the result is
    /// dropped.
    #[must_use]
    pub fn connected(&self, user: &UserId, device: &str) -> Connection {
        self.inner.change(|state, now| state.connected(user, device, now));
        Connection {
            inner: Arc::clone(&self.inner),
            user: user.to_owned(),
            device: device.to_owned(),
        }
    }

    /// Records that the session of a device ended, for any reason: the device no longer types
    /// anywhere, and the signals of its calls are gone.
    pub fn logged_out(&self, user: &UserId, device: &str) {
        self.inner.calls.lock().end_of_device(user, device);
        self.inner.change(|state, now| state.logged_out(user, device, now));
    }

    /// Records that a device without a socket polled.
    pub fn polled(&self, user: &UserId, device: &str) {
        self.inner.change(|state, now| state.polled(user, device, now));
    }

    /// Sets the presence that a device chose for its user. It holds while the device is connected.
    pub fn choose(&self, user: &UserId, device: &str, presence: Presence, status: Option<String>) {
        self.inner.change(|state, now| state.choose(user, device, presence, status, now));
    }

    /// Records activity of a user.
    pub fn active(&self, user: &UserId) {
        let now = (self.inner.clock)();
        self.inner.state.lock().presences.active(user, now);
    }

    /// The presence of a user, as others see it.
    #[must_use]
    pub fn presence(&self, user: &UserId) -> Shown {
        self.inner.state.lock().presences.shown(user)
    }

    /// Up to `limit` of `users` who are online or away. Without `users`, of all users.
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

    /// The approximate number of users who are online or away.
    #[must_use]
    pub fn there_count(&self) -> usize {
        self.inner.state.lock().presences.len()
    }

    /// Whether a device is connected. It counts as connected for another [`LINGER`](crate::LINGER)
    /// after its last socket closed, and for [`POLL_COUNTS`](crate::POLL_COUNTS) after a poll.
    #[must_use]
    pub fn is_connected(&self, user: &UserId, device: &str) -> bool {
        let now = (self.inner.clock)().at;
        self.inner.state.lock().presences.is_connected(user, device, now)
    }

    /// A reader on behalf of a device of `user`. It learns of the changes that the filter accepts,
    /// and of all signals for the device.
    #[must_use]
    pub fn reader(&self, user: &UserId, device: Option<&str>, wants: Arc<Filter>) -> Reader {
        self.inner.readers.open(user, device, wants)
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
