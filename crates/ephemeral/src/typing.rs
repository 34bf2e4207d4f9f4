//! Typing: the users who are typing in each room.
//!
//! **Invariant:** a user is typing in a room while one of their devices is.
//! **Invariant:** the rooms of a device and the time of each are bounded.

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    time::{Duration, Instant},
};

use rookery_domain::{OwnedRoomId, OwnedUserId, RoomId, UserId};

use crate::remote::{
    REMOTE_DEVICE, REMOTE_TYPING_MAX, REMOTE_TYPING_ROOM_MAX, REMOTE_TYPING_SERVER_MAX, Shares,
};

/// How long typing lasts if the client does not say.
pub const TYPING_DEFAULT: Duration = Duration::from_secs(30);

/// How long typing lasts at most.
pub const TYPING_MAX: Duration = Duration::from_mins(2);

/// In how many rooms a device can type at once. In one more, its first room ends.
pub const TYPING_ROOMS_MAX: usize = 10;

type Device = (OwnedUserId, Box<str>);

/// Until when each device of a user is typing in a room.
type Devices = BTreeMap<Box<str>, Instant>;

/// The typing users of all rooms.
#[derive(Debug, Default)]
pub(crate) struct Typing {
    rooms: HashMap<OwnedRoomId, BTreeMap<OwnedUserId, Devices>>,
    devices: HashMap<Device, VecDeque<OwnedRoomId>>,
    remote: Shares,
}

impl Typing {
    /// Records that a device is typing until then. Returns the room in which it has to stop for
    /// that.
    pub(crate) fn start(
        &mut self,
        room: &RoomId,
        user: &UserId,
        device: &str,
        until: Instant,
    ) -> Option<OwnedRoomId> {
        let users = self.rooms.entry(room.to_owned()).or_default();
        let devices = users.entry(user.to_owned()).or_default();
        if devices.insert(device.into(), until).is_some() {
            return None;
        }
        let rooms = self.devices.entry((user.to_owned(), device.into())).or_default();
        rooms.push_back(room.to_owned());
        let first = (rooms.len() > TYPING_ROOMS_MAX).then(|| rooms.front().cloned()).flatten()?;
        self.stop(&first, user, device);
        Some(first)
    }

    /// Records that a user of another server is typing until then, if the bounds for such users allow it. Returns as
    /// [`Self::start`] does.
    pub(crate) fn start_remote(
        &mut self,
        room: &RoomId,
        user: &UserId,
        until: Instant,
    ) -> Option<OwnedRoomId> {
        if !self.has(room, user) {
            let is_full = self.rooms.get(room).is_some_and(|it| it.len() >= REMOTE_TYPING_ROOM_MAX);
            let (server_max, all_max) = (REMOTE_TYPING_SERVER_MAX, REMOTE_TYPING_MAX);
            if is_full || !self.remote.take(user.server_name(), server_max, all_max) {
                return None;
            }
        }
        self.start(room, user, REMOTE_DEVICE, until)
    }

    /// Records that a device stopped.
    pub(crate) fn stop(&mut self, room: &RoomId, user: &UserId, device: &str) {
        let Some(users) = self.rooms.get_mut(room) else { return };
        let Some(devices) = users.get_mut(user) else { return };
        let was_typing = devices.remove(device).is_some();
        if was_typing && device == REMOTE_DEVICE {
            self.remote.free(user.server_name());
        }
        if devices.is_empty() {
            users.remove(user);
        }
        if users.is_empty() {
            self.rooms.remove(room);
        }
        self.forget(room, user, device);
    }

    fn forget(&mut self, room: &RoomId, user: &UserId, device: &str) {
        let key = (user.to_owned(), Box::from(device));
        let Some(rooms) = self.devices.get_mut(&key) else { return };
        rooms.retain(|other| other != room);
        if rooms.is_empty() {
            self.devices.remove(&key);
        }
    }

    /// Records that all devices of a user stopped in a room.
    pub(crate) fn stop_user(&mut self, room: &RoomId, user: &UserId) {
        let devices = self.rooms.get(room).and_then(|users| users.get(user));
        let devices: Vec<_> = devices.into_iter().flat_map(BTreeMap::keys).cloned().collect();
        for device in devices {
            self.stop(room, user, &device);
        }
    }

    /// The rooms in which a device is typing.
    pub(crate) fn rooms_of(&self, user: &UserId, device: &str) -> Vec<OwnedRoomId> {
        let rooms = self.devices.get(&(user.to_owned(), device.into()));
        rooms.into_iter().flatten().cloned().collect()
    }

    /// Ends typing whose time is over. Returns when to check again.
    pub(crate) fn expire(&mut self, room: &RoomId, now: Instant) -> Option<Instant> {
        let users = self.rooms.get(room)?;
        let all = users.iter().flat_map(|(user, devices)| {
            devices.iter().map(move |(device, until)| (user.clone(), device.clone(), *until))
        });
        let (over, left): (Vec<_>, Vec<_>) = all.partition(|(_, _, until)| *until <= now);
        for (user, device, _) in over {
            self.stop(room, &user, &device);
        }
        left.into_iter().map(|(_, _, until)| until).min()
    }

    /// The users who are typing in a room, ordered by user ID.
    pub(crate) fn users(&self, room: &RoomId) -> impl Iterator<Item = &OwnedUserId> {
        self.rooms.get(room).into_iter().flat_map(BTreeMap::keys)
    }

    /// Whether a user is typing in a room.
    pub(crate) fn has(&self, room: &RoomId, user: &UserId) -> bool {
        self.rooms.get(room).is_some_and(|users| users.contains_key(user))
    }

    /// The rooms in which a user is typing.
    pub(crate) fn rooms(&self) -> impl ExactSizeIterator<Item = &OwnedRoomId> {
        self.rooms.keys()
    }

    #[cfg(test)]
    pub(crate) fn is_empty(&self) -> bool {
        self.rooms.is_empty() && self.devices.is_empty()
    }
}
