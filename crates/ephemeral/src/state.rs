//! All ephemeral state, and its changes.
//!
//! **Invariant:** each method returns the subjects whose shown state it changed.

use std::time::{Duration, Instant};

use rookery_domain::{OwnedUserId, RoomId, UserId};

use crate::{
    Now, Presence, Shown,
    due::{Due, Subject},
    presence::Presences,
    typing::Typing,
};

/// The subjects whose shown state changed.
pub(crate) type Changed = Vec<Subject>;

/// The users who are typing, and the users who are online.
#[derive(Debug, Default)]
pub(crate) struct State {
    pub(crate) typing: Typing,
    pub(crate) presences: Presences,
    pub(crate) due: Due,
}

impl State {
    /// Sets that a device is typing in a room for this long, or that it stopped.
    pub(crate) fn type_in(
        &mut self,
        room: &RoomId,
        user: &UserId,
        device: &str,
        how_long: Option<Duration>,
        now: Now,
    ) -> Changed {
        self.presences.active(user, now);
        let mut left = None;
        let mut changed = self.in_room(room, now.at, |typing| match how_long {
            Some(how_long) => left = typing.start(room, user, device, now.at + how_long),
            None => typing.stop(room, user, device),
        });
        if let Some(left) = left {
            let after: Vec<_> = self.typing.users(&left).cloned().collect();
            if !after.iter().any(|other| other == user) {
                self.reschedule(&left, now.at);
                changed.push(Subject::Room(left));
            }
        }
        changed
    }

    /// Sets that a user of another server is typing in a room for this long, or that they stopped.
    pub(crate) fn type_remotely(
        &mut self,
        room: &RoomId,
        user: &UserId,
        how_long: Option<Duration>,
        now: Now,
    ) -> Changed {
        let mut left = None;
        let mut changed = self.in_room(room, now.at, |typing| match how_long {
            Some(how_long) => left = typing.start_remote(room, user, now.at + how_long),
            None => typing.stop_user(room, user),
        });
        if let Some(left) = left {
            self.reschedule(&left, now.at);
            changed.push(Subject::Room(left));
        }
        changed
    }

    /// Sets the presence of a user of another server, if the bounds for such users allow it.
    pub(crate) fn appear(&mut self, user: &UserId, shown: Shown, now: Now) -> Changed {
        if !self.presences.appear(user, shown, now) {
            return Changed::new();
        }
        self.settle_user(user, now)
    }

    /// Records that a user stopped typing in a room.
    pub(crate) fn stop_user(&mut self, room: &RoomId, user: &UserId, now: Now) -> Changed {
        self.in_room(room, now.at, |typing| typing.stop_user(room, user))
    }

    /// Records that a device opened a socket.
    pub(crate) fn connected(&mut self, user: &UserId, device: &str, now: Now) -> Changed {
        self.presences.connected(user, device, now);
        self.settle_user(user, now)
    }

    /// Records that a device closed a socket. With its last socket, the device stops typing
    /// everywhere.
    pub(crate) fn disconnected(&mut self, user: &UserId, device: &str, now: Now) -> Changed {
        let mut changed = Changed::new();
        if self.presences.disconnected(user, device, now) {
            changed.extend(self.stop_device(user, device, now));
        }
        changed.extend(self.settle_user(user, now));
        changed
    }

    /// Records that the session of a device ended. It stops typing, and it is connected only while
    /// it has a socket.
    pub(crate) fn logged_out(&mut self, user: &UserId, device: &str, now: Now) -> Changed {
        self.presences.logged_out(user, device);
        let mut changed = self.stop_device(user, device, now);
        changed.extend(self.settle_user(user, now));
        changed
    }

    fn stop_device(&mut self, user: &UserId, device: &str, now: Now) -> Changed {
        let mut changed = Changed::new();
        for room in self.typing.rooms_of(user, device) {
            let stop = |typing: &mut Typing| typing.stop(&room, user, device);
            changed.extend(self.in_room(&room, now.at, stop));
        }
        changed
    }

    /// Records that a device polled.
    pub(crate) fn polled(&mut self, user: &UserId, device: &str, now: Now) -> Changed {
        self.presences.polled(user, device, now);
        self.settle_user(user, now)
    }

    /// Sets the presence that a device chose for its user.
    pub(crate) fn choose(
        &mut self,
        user: &UserId,
        device: &str,
        presence: Presence,
        status: Option<String>,
        now: Now,
    ) -> Changed {
        self.presences.choose(user, device, presence, status, now);
        self.settle_user(user, now)
    }

    /// Ends states whose time is over.
    pub(crate) fn sweep(&mut self, now: Now) -> Changed {
        let mut changed = Changed::new();
        while let Some(subject) = self.due.first(now.at) {
            match &subject {
                Subject::Room(room) => changed.extend(self.in_room(room, now.at, |_| {})),
                Subject::User(user) => changed.extend(self.settle_user(user, now)),
            }
        }
        changed
    }

    /// Changes the typing users of a room, and ends typing whose time is over there.
    fn in_room(&mut self, room: &RoomId, now: Instant, act: impl FnOnce(&mut Typing)) -> Changed {
        let before: Vec<OwnedUserId> = self.typing.users(room).cloned().collect();
        act(&mut self.typing);
        self.reschedule(room, now);
        let same = self.typing.users(room).eq(&before);
        if same { Vec::new() } else { vec![Subject::Room(room.to_owned())] }
    }

    fn reschedule(&mut self, room: &RoomId, now: Instant) {
        let next = self.typing.expire(room, now);
        self.due.set(&Subject::Room(room.to_owned()), next);
    }

    fn settle_user(&mut self, user: &UserId, now: Now) -> Changed {
        let settled = self.presences.settle(user, now);
        let subject = Subject::User(user.to_owned());
        self.due.set(&subject, settled.next);
        if settled.changed { vec![subject] } else { Vec::new() }
    }
}
