//! Users and services as viewers.

use super::scenes::Played;
use crate::oracle::{Expected, Following, Logged, expect, expect_for};

/// The kind of a viewer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A user.
    User,
    /// The bot of a service that claims these users.
    Users(&'static [&'static str]),
    /// The bot of a service that claims the aliases of rooms with an even number.
    Aliases,
}

/// A viewer, the service's claims of a bot, and whether the bot came after all events.
pub(super) struct Viewing<'a> {
    pub(super) kind: Kind,
    pub(super) played: &'a Played,
    pub(super) is_late: bool,
}

impl Viewing<'_> {
    pub(super) fn expect(&self, log: &[Logged], user: &str) -> Expected {
        let (users, always) = match self.kind {
            Kind::User => return expect(log, user),
            Kind::Users(users) => (users, false),
            Kind::Aliases => (&[][..], self.played.alias.as_deref().is_some_and(is_even)),
        };
        expect_for(log, user, Some(Following { users, always, is_late: self.is_late }))
    }
}

/// Whether the number in the alias of a room is even.
fn is_even(alias: &str) -> bool {
    let number = alias.trim_start_matches("#room").split(':').next().unwrap();
    number.parse::<u32>().unwrap().is_multiple_of(2)
}
