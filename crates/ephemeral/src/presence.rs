//! Presence: the best of the states that each of a user's devices chose.
//!
//! **Invariant:** the shown presence of a user changes at most once in [`TOLD_EVERY`], so a device
//! with an unstable connection causes no storm of updates.
//! **Invariant:** the choice of a device ends [`LINGER`] after it disconnected.

use std::{
    collections::{BTreeMap, HashMap},
    num::NonZeroUsize,
    time::{Duration, Instant},
};

use lru::LruCache;
use rookery_domain::{OwnedUserId, UserId};

use crate::{
    Now,
    remote::{
        REMOTE_DEVICE, REMOTE_PRESENCE_LASTS, REMOTE_PRESENCES_MAX, REMOTE_PRESENCES_SERVER_MAX,
        Shares,
    },
};

/// How long a device counts as connected after its last socket closed, so that it can reconnect.
pub const LINGER: Duration = Duration::from_secs(3);

/// How long a device counts as connected after a poll.
pub const POLL_COUNTS: Duration = Duration::from_mins(1);

/// The least time between two changes of a user's shown presence.
pub const TOLD_EVERY: Duration = Duration::from_secs(1);

/// Longest status message.
pub const STATUS_BYTES_MAX: usize = 256;

/// How many offline users keep the time at which they were last active.
const GONE_MAX: usize = 100_000;

/// The presence of a user. The greater value is the better one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Presence {
    /// Offline, or invisible.
    #[default]
    Offline,
    /// Connected, but away or busy.
    Unavailable,
    /// Online.
    Online,
}

/// The presence of a user, as others see it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shown {
    /// The presence.
    pub presence: Presence,
    /// The user's status message.
    pub status_message: Option<String>,
    /// When the user was last active, in milliseconds since 1970; `None` if that is not known.
    pub last_active_millis: Option<u64>,
}

#[derive(Debug, Default)]
struct Device {
    sockets: u32,
    /// Until when it counts as connected without a socket.
    until: Option<Instant>,
    chosen: Option<Presence>,
    status: Option<String>,
    /// Greater for a later choice.
    said: u64,
}

impl Device {
    fn is_connected(&self, now: Instant) -> bool {
        self.sockets > 0 || self.until.is_some_and(|until| until > now)
    }

    fn says(&self) -> Presence {
        self.chosen.unwrap_or(Presence::Online)
    }

    fn counts_until(&mut self, until: Instant) {
        self.until = self.until.max(Some(until));
    }
}

#[derive(Debug, Default)]
struct User {
    devices: BTreeMap<Box<str>, Device>,
    active: Option<u64>,
    presence: Presence,
    status: Option<String>,
    told: Option<Instant>,
    is_remote: bool,
}

impl User {
    /// The best presence of the devices, and the status message of the latest choice.
    fn sum(&self) -> (Presence, Option<String>) {
        let presence = self.devices.values().map(Device::says).max().unwrap_or_default();
        if presence == Presence::Offline {
            return (presence, None);
        }
        let last = self.devices.values().filter(|device| device.said > 0);
        let last = last.max_by_key(|device| device.said);
        (presence, last.and_then(|device| device.status.clone()))
    }
}

/// The result of checking a user.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Settled {
    /// The shown presence changed.
    pub(crate) changed: bool,
    /// When to check again.
    pub(crate) next: Option<Instant>,
}

/// The presence of all users who are online or away.
#[derive(Debug)]
pub(crate) struct Presences {
    users: HashMap<OwnedUserId, User>,
    gone: LruCache<OwnedUserId, u64>,
    said: u64,
    remote: Shares,
}

impl Default for Presences {
    fn default() -> Self {
        let gone = NonZeroUsize::new(GONE_MAX).unwrap_or(NonZeroUsize::MIN);
        Self {
            users: HashMap::new(),
            gone: LruCache::new(gone),
            said: 0,
            remote: Shares::default(),
        }
    }
}

impl Presences {
    fn device(&mut self, user: &UserId, device: &str, now: Now) -> &mut Device {
        let user = self.users.entry(user.to_owned()).or_default();
        user.active = Some(now.wall_millis);
        user.devices.entry(device.into()).or_default()
    }

    /// Records that the device opened a socket.
    pub(crate) fn connected(&mut self, user: &UserId, device: &str, now: Now) {
        let device = self.device(user, device, now);
        device.sockets += 1;
        // Its choice now ends with its sockets, not with an earlier poll.
        device.until = None;
    }

    /// Records that the device closed a socket. Returns whether it was the last one.
    pub(crate) fn disconnected(&mut self, user: &UserId, device: &str, now: Now) -> bool {
        let Some(user) = self.users.get_mut(user) else { return true };
        let Some(device) = user.devices.get_mut(device) else { return true };
        device.sockets = device.sockets.saturating_sub(1);
        if device.sockets == 0 {
            device.counts_until(now.at + LINGER);
        }
        device.sockets == 0
    }

    /// Whether the device is connected, or was until a moment ago.
    pub(crate) fn is_connected(&self, user: &UserId, device: &str, now: Instant) -> bool {
        let device = self.users.get(user).and_then(|user| user.devices.get(device));
        device.is_some_and(|device| device.is_connected(now))
    }

    /// Records that the session of the device ended: without a socket it goes offline at once.
    pub(crate) fn logged_out(&mut self, user: &UserId, device: &str) {
        let device = self.users.get_mut(user).and_then(|user| user.devices.get_mut(device));
        if let Some(device) = device {
            device.until = None;
        }
    }

    /// Records that the device polled.
    pub(crate) fn polled(&mut self, user: &UserId, device: &str, now: Now) {
        let device = self.device(user, device, now);
        if device.sockets == 0 {
            device.counts_until(now.at + POLL_COUNTS);
        }
    }

    /// Sets the presence that the device chose for its user.
    pub(crate) fn choose(
        &mut self,
        user: &UserId,
        device: &str,
        presence: Presence,
        status: Option<String>,
        now: Now,
    ) {
        self.polled(user, device, now);
        self.said += 1;
        let said = self.said;
        let device = self.device(user, device, now);
        device.chosen = Some(presence);
        device.status = status.filter(|status| !status.is_empty());
        device.said = said;
    }

    /// Sets the presence of a user of another server. Returns `false` if the bounds for such users do not allow it.
    pub(crate) fn appear(&mut self, id: &UserId, shown: Shown, now: Now) -> bool {
        let Shown { presence, status_message, last_active_millis } = shown;
        let active = last_active_millis.map(|active| active.min(now.wall_millis));
        if !self.users.contains_key(id) {
            if presence == Presence::Offline {
                // Only users who were seen here are worth a place.
                if let Some((known, active)) = self.gone.get_mut(id).zip(active) {
                    *known = active;
                }
                return false;
            }
            let (server_max, all_max) = (REMOTE_PRESENCES_SERVER_MAX, REMOTE_PRESENCES_MAX);
            if !self.remote.take(id.server_name(), server_max, all_max) {
                return false;
            }
        }
        let user = self.users.entry(id.to_owned()).or_default();
        user.is_remote = true;
        user.active = active.or(user.active);
        if presence == Presence::Offline {
            user.devices.clear();
            return true;
        }
        self.said += 1;
        let device = user.devices.entry(REMOTE_DEVICE.into()).or_default();
        (device.chosen, device.said) = (Some(presence), self.said);
        device.status = status_message.filter(|status| !status.is_empty());
        device.until = Some(now.at + REMOTE_PRESENCE_LASTS);
        true
    }

    /// Records activity of the user.
    pub(crate) fn active(&mut self, user: &UserId, now: Now) {
        if let Some(user) = self.users.get_mut(user) {
            user.active = Some(now.wall_millis);
        } else if let Some(active) = self.gone.get_mut(user) {
            *active = now.wall_millis;
        } else {
            self.gone.put(user.to_owned(), now.wall_millis);
        }
    }

    /// Removes devices that are gone, and changes the shown presence if it is time for that.
    pub(crate) fn settle(&mut self, id: &UserId, now: Now) -> Settled {
        let Some(user) = self.users.get_mut(id) else { return Settled::default() };
        user.devices.retain(|_, device| device.is_connected(now.at));
        let sum = user.sum();
        let is_news = sum != (user.presence, user.status.clone());
        let free = user.told.map(|told| told + TOLD_EVERY).filter(|free| *free > now.at);
        let changed = is_news && free.is_none();
        if changed {
            (user.presence, user.status) = sum;
            user.told = Some(now.at);
        }
        let waiting = user.devices.values().filter(|device| device.sockets == 0);
        let ends = waiting.filter_map(|device| device.until).min();
        let next = ends.into_iter().chain(free.filter(|_| is_news)).min();
        if user.devices.is_empty() && (!is_news || changed) {
            // A user who comes back is shown at once, which makes at most one more update.
            let (active, is_remote) = (user.active, user.is_remote);
            self.users.remove(id);
            if is_remote {
                self.remote.free(id.server_name());
            }
            if let Some(active) = active {
                self.gone.put(id.to_owned(), active);
            }
        }
        Settled { changed, next }
    }

    /// The presence of a user, as others see it.
    pub(crate) fn shown(&self, id: &UserId) -> Shown {
        let Some(user) = self.users.get(id) else {
            let last_active_millis = self.gone.peek(id).copied();
            return Shown { last_active_millis, ..Shown::default() };
        };
        let (presence, status_message) = (user.presence, user.status.clone());
        Shown { presence, status_message, last_active_millis: user.active }
    }

    /// Whether the user is shown as online or away.
    pub(crate) fn is_there(&self, id: &UserId) -> bool {
        self.users.get(id).is_some_and(|user| user.presence > Presence::Offline)
    }

    /// How many users are online or away, or were a moment ago.
    pub(crate) fn len(&self) -> usize {
        self.users.len()
    }

    /// The users who are shown as online or away.
    pub(crate) fn there(&self) -> impl Iterator<Item = &OwnedUserId> {
        let there = self.users.iter().filter(|(_, user)| user.presence > Presence::Offline);
        there.map(|(id, _)| id)
    }
}
