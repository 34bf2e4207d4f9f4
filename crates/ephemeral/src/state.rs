//! Everything that is true now, and what changes when something happens.
//!
//! **Invariant:** whatever happens answers with the subjects whose state others now see changed.

use std::time::{Duration, Instant};

use rookery_domain::{OwnedUserId, RoomId, UserId};

use crate::{
    Now, Presence,
    due::{Due, Subject},
    presence::Presences,
    typing::Typing,
};

/// The subjects that others see changed.
pub(crate) type Changed = Vec<Subject>;

/// Who types where, and who is there.
#[derive(Debug, Default)]
pub(crate) struct State {
    pub(crate) typing: Typing,
    pub(crate) presences: Presences,
    pub(crate) due: Due,
}

impl State {
    /// A device types in a room for so long, or not any more.
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

    /// A user has nothing to type in a room any more.
    pub(crate) fn stop_user(&mut self, room: &RoomId, user: &UserId, now: Now) -> Changed {
        self.in_room(room, now.at, |typing| typing.stop_user(room, user))
    }

    /// A socket of a device has opened.
    pub(crate) fn connected(&mut self, user: &UserId, device: &str, now: Now) -> Changed {
        self.presences.connected(user, device, now);
        self.settle_user(user, now)
    }

    /// A socket of a device has closed. With the last one, the device types nowhere.
    pub(crate) fn disconnected(&mut self, user: &UserId, device: &str, now: Now) -> Changed {
        let mut changed = Changed::new();
        if self.presences.disconnected(user, device, now) {
            changed.extend(self.stop_device(user, device, now));
        }
        changed.extend(self.settle_user(user, now));
        changed
    }

    /// The session of a device has ended: it types nowhere, and is there only as long as a socket of it is.
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

    /// A device has polled.
    pub(crate) fn polled(&mut self, user: &UserId, device: &str, now: Now) -> Changed {
        self.presences.polled(user, device, now);
        self.settle_user(user, now)
    }

    /// A device says what its user wants to be shown as.
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

    /// Ends what is over by now.
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

    /// Does something to who types in a room, and ends what is over there.
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
