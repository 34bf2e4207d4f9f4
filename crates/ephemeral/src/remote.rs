//! Bounds for the users of other servers, whose own servers say what they do.
//!
//! **Invariant:** a server fills only its own share of the memory, and no room with its typing users.

use std::{collections::HashMap, time::Duration};

use rookery_domain::{OwnedServerName, ServerName};

/// How long a user of another server types after the last word of that server. Servers repeat it while it lasts.
pub const REMOTE_TYPING_LASTS: Duration = Duration::from_mins(1);

/// How long the presence of a user of another server holds after the last word of that server.
pub const REMOTE_PRESENCE_LASTS: Duration = Duration::from_mins(30);

/// Most users who type in a room before users of other servers are left out.
pub const REMOTE_TYPING_ROOM_MAX: usize = 50;

/// Most typing users of one server, in all its rooms.
pub const REMOTE_TYPING_SERVER_MAX: usize = 500;

/// Most typing users of all other servers.
pub const REMOTE_TYPING_MAX: usize = 5_000;

/// Most users of one server whose presence is known.
pub const REMOTE_PRESENCES_SERVER_MAX: usize = 5_000;

/// Most users of all other servers whose presence is known.
pub const REMOTE_PRESENCES_MAX: usize = 50_000;

/// The device of a user of another server, which has no name here.
pub(crate) const REMOTE_DEVICE: &str = "";

/// How much of a bound each server has used.
#[derive(Debug, Default)]
pub(crate) struct Shares {
    by_server: HashMap<OwnedServerName, usize>,
    all: usize,
}

impl Shares {
    /// Takes one more for a server, unless it has `server_max`, or all have `all_max`.
    pub(crate) fn take(&mut self, server: &ServerName, server_max: usize, all_max: usize) -> bool {
        let used = self.by_server.get(server).copied().unwrap_or(0);
        if used >= server_max || self.all >= all_max {
            return false;
        }
        self.by_server.insert(server.to_owned(), used + 1);
        self.all += 1;
        true
    }

    /// Gives one back.
    pub(crate) fn free(&mut self, server: &ServerName) {
        let Some(used) = self.by_server.get_mut(server) else { return };
        *used -= 1;
        self.all -= 1;
        if *used == 0 {
            self.by_server.remove(server);
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests fail by panicking")]
mod tests {
    use std::time::Instant;

    use rookery_domain::{OwnedRoomId, OwnedUserId};

    use super::*;
    use crate::{Now, Presence, STATUS_BYTES_MAX, Shown, state::State};

    fn user(number: usize, server: usize) -> OwnedUserId {
        format!("@user{number}:server{server}.example").try_into().unwrap()
    }

    fn room(number: usize) -> OwnedRoomId {
        format!("!room{number}:test").try_into().unwrap()
    }

    struct World(State, Now);

    impl World {
        fn new() -> Self {
            Self(State::default(), Now { at: Instant::now(), wall_millis: 10_000_000 })
        }

        fn types(&mut self, place: usize, who: &OwnedUserId, is_typing: bool) -> usize {
            let how_long = is_typing.then_some(REMOTE_TYPING_LASTS);
            self.0.type_remotely(&room(place), who, how_long, self.1).len()
        }

        fn typing(&self, place: usize) -> usize {
            self.0.typing.users(&room(place)).count()
        }

        fn appears(&mut self, who: &OwnedUserId, presence: Presence) -> usize {
            let status_message = Some("x".repeat(STATUS_BYTES_MAX));
            let shown = Shown { presence, status_message, last_active_millis: Some(1) };
            self.0.appear(who, shown, self.1).len()
        }

        fn passes(&mut self, time: Duration) {
            self.1.at += time;
            self.0.sweep(self.1);
        }
    }

    #[test]
    fn typing_of_another_server_ends_by_itself_and_when_it_says_so() {
        let mut world = World::new();
        let (ann, bob) = (user(1, 1), user(2, 1));
        assert_eq!((world.types(1, &ann, true), world.types(1, &ann, true)), (1, 0));
        assert_eq!((world.types(1, &bob, true), world.types(1, &bob, false)), (1, 1));
        world.passes(REMOTE_TYPING_LASTS.mul_f64(0.99));
        assert_eq!(world.typing(1), 1);
        world.passes(REMOTE_TYPING_LASTS.mul_f64(0.02));
        assert_eq!(world.typing(1), 0);
        assert!(world.0.typing.is_empty());
    }

    #[test]
    fn a_server_fills_neither_a_room_nor_the_memory_with_typing_users() {
        let mut world = World::new();
        for number in 0..2 * REMOTE_TYPING_ROOM_MAX {
            world.types(0, &user(number, 0), true);
        }
        assert_eq!(world.typing(0), REMOTE_TYPING_ROOM_MAX);
        for number in 0..2 * REMOTE_TYPING_SERVER_MAX {
            world.types(1 + number, &user(number, 0), true);
        }
        let typing: usize = world.0.typing.rooms().map(|it| world.0.typing.users(it).count()).sum();
        assert_eq!(typing, REMOTE_TYPING_SERVER_MAX);
        // Another server has its own share, in other rooms.
        assert_eq!(world.types(1, &user(0, 1), true), 1);
        // Typing that has ended leaves its place to others.
        world.passes(REMOTE_TYPING_LASTS);
        assert!(world.0.typing.is_empty());
        assert_eq!(world.types(0, &user(0, 0), true), 1);
    }

    #[test]
    fn presence_of_another_server_holds_until_it_is_silent_for_long() {
        let mut world = World::new();
        let ann = user(1, 1);
        assert_eq!(world.appears(&ann, Presence::Unavailable), 1);
        assert_eq!(world.0.presences.shown(&ann).presence, Presence::Unavailable);
        world.passes(REMOTE_PRESENCE_LASTS.mul_f64(0.99));
        assert!(world.0.presences.is_there(&ann));
        world.passes(REMOTE_PRESENCE_LASTS.mul_f64(0.02));
        assert_eq!(world.0.presences.shown(&ann).presence, Presence::Offline);
        assert_eq!((world.0.presences.len(), world.0.due.len()), (0, 0));
    }

    #[test]
    fn a_server_has_a_share_of_the_known_presences_and_gets_it_back() {
        let mut world = World::new();
        for number in 0..REMOTE_PRESENCES_SERVER_MAX + 10 {
            world.appears(&user(number, 1), Presence::Online);
        }
        assert_eq!(world.0.presences.len(), REMOTE_PRESENCES_SERVER_MAX);
        assert_eq!(world.appears(&user(0, 2), Presence::Online), 1);
        world.passes(Duration::from_secs(2));
        for number in 0..REMOTE_PRESENCES_SERVER_MAX {
            assert_eq!(world.appears(&user(number, 1), Presence::Offline), 1, "{number}");
        }
        assert_eq!(world.0.presences.len(), 1);
        assert_eq!(world.appears(&user(REMOTE_PRESENCES_SERVER_MAX, 1), Presence::Online), 1);
        // An offline user who was not known takes no memory.
        assert_eq!(world.appears(&user(0, 3), Presence::Offline), 0);
        assert_eq!(world.0.presences.len(), 2);
    }
}
