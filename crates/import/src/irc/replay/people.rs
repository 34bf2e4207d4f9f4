//! The users behind nicks.
//!
//! **Invariant:** within a file, no two users have one nick and no user has two.
//! **Invariant:** users outlive files, and their nicks do not, because nobody knows the events
//! between two files. In each file a nick first belongs to its own user.

use std::{collections::HashMap, sync::Arc};

use crate::irc::line::nick::Nick;

/// Prefix of a user from the operator's mapping: an import may act for that user.
pub const MAPPED_MARK: char = '@';

/// A user, by the order of appearance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct UserIndex(usize);

/// A user of the import.
#[derive(Debug)]
pub(super) struct User {
    pub(super) localpart: Arc<str>,
    pub(super) displayname: String,
    /// The folded nick of the user in this file.
    bears: Option<String>,
}

impl User {
    /// Whether the user has an account, which the operator mapped to the nick.
    pub(super) fn is_mapped(&self) -> bool {
        self.localpart.starts_with(MAPPED_MARK)
    }
}

/// All users of the import.
#[derive(Debug, Default)]
pub(super) struct People {
    prefix: String,
    /// Local parts of users with accounts, by folded nick.
    mapped: HashMap<String, String>,
    users: Vec<User>,
    by_localpart: HashMap<Arc<str>, UserIndex>,
    by_nick: HashMap<String, UserIndex>,
}

impl People {
    /// No users yet. Localparts will start with `prefix`, except for nicks that `mapped` gives to users with
    /// accounts.
    pub(super) fn new<'a>(
        prefix: &str,
        mapped: impl IntoIterator<Item = (&'a Nick, &'a str)>,
    ) -> Self {
        let mapped =
            mapped.into_iter().map(|(nick, user)| (nick.fold(), user.to_owned())).collect();
        Self { prefix: prefix.to_owned(), mapped, ..Self::default() }
    }

    pub(super) fn user(&self, index: UserIndex) -> &User {
        &self.users[index.0]
    }

    pub(super) fn set_displayname(&mut self, index: UserIndex, nick: &Nick) {
        nick.as_str().clone_into(&mut self.users[index.0].displayname);
    }

    /// Forgets the nicks of all users.
    pub(super) fn begin_file(&mut self) {
        for (_, index) in self.by_nick.drain() {
            self.users[index.0].bears = None;
        }
    }

    /// The user with `nick`, or its owner; `None` if the user has never appeared.
    pub(super) fn find(&self, nick: &Nick) -> Option<UserIndex> {
        let bearer = self.by_nick.get(&nick.fold());
        bearer.or_else(|| self.by_localpart.get(self.localpart(nick).as_str())).copied()
    }

    /// The user with `nick` from now on, and whether the user is new.
    pub(super) fn find_or_add(&mut self, nick: &Nick) -> (UserIndex, bool) {
        let found = self.find(nick);
        let index = found.unwrap_or_else(|| self.add(nick));
        self.give(index, nick);
        (index, found.is_none())
    }

    /// Gives a user `nick`, and returns its previous user.
    pub(super) fn give(&mut self, index: UserIndex, nick: &Nick) -> Option<UserIndex> {
        let nick = nick.fold();
        if self.users[index.0].bears.as_ref() == Some(&nick) {
            return None;
        }
        self.take_nick(index);
        let displaced = self.by_nick.insert(nick.clone(), index);
        if let Some(displaced) = displaced {
            self.users[displaced.0].bears = None;
        }
        self.users[index.0].bears = Some(nick);
        displaced
    }

    /// Takes the nick from a user.
    pub(super) fn take_nick(&mut self, index: UserIndex) {
        if let Some(nick) = self.users[index.0].bears.take() {
            self.by_nick.remove(&nick);
        }
    }

    fn localpart(&self, nick: &Nick) -> String {
        match self.mapped.get(&nick.fold()) {
            Some(user) => format!("{MAPPED_MARK}{user}"),
            None => format!("{}{}", self.prefix, nick.localpart()),
        }
    }

    fn add(&mut self, nick: &Nick) -> UserIndex {
        let index = UserIndex(self.users.len());
        let localpart: Arc<str> = self.localpart(nick).into();
        self.by_localpart.insert(localpart.clone(), index);
        self.users.push(User { localpart, displayname: nick.to_string(), bears: None });
        index
    }
}
