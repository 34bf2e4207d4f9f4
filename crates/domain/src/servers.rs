//! The servers whose users are in a room.
//!
//! **Invariant:** it follows from the members: no question about a server walks all members of a room.

use ruma_common::{OwnedServerName, ServerName};
use serde::{Deserialize, Serialize};

use crate::Membership;

/// A server that has or had members in a room. `P` is a position in the log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServerInRoom<P> {
    /// Its name.
    pub name: OwnedServerName,
    /// How many of its users are joined.
    pub joined: u64,
    /// How many of its users are invited.
    pub invited: u64,
    /// The best membership of its users after each commit that changed it: joined, then invited, then none.
    history: Vec<(P, Membership)>,
}

impl<P: Copy + Ord> ServerInRoom<P> {
    /// The best membership of the users of the server after the commit at `position`: joined, then invited, then none.
    #[must_use]
    pub fn membership_at(&self, position: P) -> Membership {
        let end = self.history.partition_point(|(changed, _)| *changed <= position);
        end.checked_sub(1).map(|last| self.history[last].1).unwrap_or_default()
    }

    fn now(&self) -> Membership {
        match (self.joined, self.invited) {
            (0, 0) => Membership::None,
            (0, _) => Membership::Invite,
            _ => Membership::Join,
        }
    }

    fn count(&mut self, membership: Membership) -> Option<&mut u64> {
        match membership {
            Membership::Join => Some(&mut self.joined),
            Membership::Invite => Some(&mut self.invited),
            _ => None,
        }
    }

    fn note(&mut self, position: P) {
        let now = self.now();
        if let Some((changed, membership)) = self.history.last_mut()
            && *changed == position
        {
            *membership = now;
        } else if self.history.last().map(|(_, membership)| *membership).unwrap_or_default() != now
        {
            self.history.push((position, now));
        }
    }
}

/// The servers of one room, by name.
// Sorted, because most rooms have one server, and the nodes of a map are large.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ServersInRoom<P>(Vec<ServerInRoom<P>>);

impl<P> Default for ServersInRoom<P> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<P: Copy + Ord> ServersInRoom<P> {
    /// A server that has or had members.
    #[must_use]
    pub fn get(&self, name: &ServerName) -> Option<&ServerInRoom<P>> {
        self.place(name).ok().map(|place| &self.0[place])
    }

    /// The servers after `name`.
    #[must_use]
    pub fn after(&self, name: Option<&ServerName>) -> &[ServerInRoom<P>] {
        let begin = name.map_or(0, |name| match self.place(name) {
            Ok(place) => place + 1,
            Err(place) => place,
        });
        &self.0[begin..]
    }

    /// The membership of a user of the server changed in the commit at `position`.
    pub fn recount(&mut self, name: &ServerName, before: Membership, now: Membership, position: P) {
        if before == now {
            return;
        }
        let place = self.place(name).unwrap_or_else(|place| {
            let (joined, invited, history) = (0, 0, Vec::with_capacity(1));
            let new = ServerInRoom { name: name.to_owned(), joined, invited, history };
            self.0.insert(place, new);
            place
        });
        let server = &mut self.0[place];
        if let Some(count) = server.count(before) {
            *count -= 1;
        }
        if let Some(count) = server.count(now) {
            *count += 1;
        }
        server.note(position);
    }

    fn place(&self, name: &ServerName) -> Result<usize, usize> {
        self.0.binary_search_by(|server| server.name.as_str().cmp(name.as_str()))
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests fail by panicking")]
mod tests {
    use super::*;

    fn name(text: &str) -> &ServerName {
        text.try_into().unwrap()
    }

    #[test]
    fn a_server_has_the_best_membership_of_its_users_at_each_position() {
        let mut servers = ServersInRoom::default();
        let (one, mut at) = (name("one.example"), 0);
        let mut change = |before, now| {
            at += 1;
            servers.recount(one, before, now, at);
        };
        change(Membership::None, Membership::Invite);
        change(Membership::None, Membership::Join);
        change(Membership::Invite, Membership::Join);
        change(Membership::Join, Membership::Leave);
        change(Membership::Join, Membership::Ban);
        let found = servers.get(one).unwrap();
        let history: Vec<_> = (0..=6).map(|at| found.membership_at(at)).collect();
        let (none, join) = (Membership::None, Membership::Join);
        assert_eq!(history, [none, Membership::Invite, join, join, join, none, none]);
        assert_eq!((found.joined, found.invited), (0, 0));
        assert!(servers.get(name("two.example")).is_none());
    }

    #[test]
    fn changes_of_one_commit_are_one_entry_and_servers_are_in_order() {
        let mut servers = ServersInRoom::default();
        for server in ["b.example", "c.example", "a.example"] {
            servers.recount(name(server), Membership::None, Membership::Join, 1);
            servers.recount(name(server), Membership::Join, Membership::Leave, 1);
            servers.recount(name(server), Membership::None, Membership::Join, 1);
        }
        let names = |after: Option<&str>| -> Vec<&str> {
            servers.after(after.map(name)).iter().map(|server| server.name.as_str()).collect()
        };
        assert_eq!(names(None), ["a.example", "b.example", "c.example"]);
        assert_eq!(names(Some("a.example")), ["b.example", "c.example"]);
        assert_eq!(names(Some("aa.example")), ["b.example", "c.example"]);
        assert_eq!(servers.get(name("a.example")).unwrap().history.len(), 1);
    }
}
