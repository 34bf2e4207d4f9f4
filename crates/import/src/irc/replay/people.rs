//! Who bears which nick.
//!
//! **Invariant:** within a file, no two users bear one nick and no user bears two.
//! **Invariant:** users outlive files; who bears which nick does not, because what happened between
//! two files is not known. In each file a nick is first taken to be that of its own user.

use std::{collections::HashMap, sync::Arc};

use crate::irc::line::nick::Nick;

/// Stands before the name of a user whom the operator's mapping names: an import may act for that user.
pub const MAPPED_MARK: char = '@';

/// A user, by the order in which they appeared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct UserIndex(usize);

/// A user of the import.
#[derive(Debug)]
pub(super) struct User {
    pub(super) localpart: Arc<str>,
    pub(super) displayname: String,
    /// The folded nick that the user bears in this file.
    bears: Option<String>,
}

impl User {
    /// Whether the user has an account of their own, which the operator named for the nick.
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
    /// Nobody yet; localparts will start with `prefix`, but for nicks that `mapped` gives to users with accounts.
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

    /// Forgets who bears which nick.
    pub(super) fn begin_file(&mut self) {
        for (_, index) in self.by_nick.drain() {
            self.users[index.0].bears = None;
        }
    }

    /// The user who bears `nick`, or whose own it is; `None` if the user has never been heard of.
    pub(super) fn find(&self, nick: &Nick) -> Option<UserIndex> {
        let bearer = self.by_nick.get(&nick.fold());
        bearer.or_else(|| self.by_localpart.get(self.localpart(nick).as_str())).copied()
    }

    /// The user who bears `nick` from now on, and whether the user is new.
    pub(super) fn find_or_add(&mut self, nick: &Nick) -> (UserIndex, bool) {
        let found = self.find(nick);
        let index = found.unwrap_or_else(|| self.add(nick));
        self.give(index, nick);
        (index, found.is_none())
    }

    /// Lets a user bear `nick`; the user who bore it until now is returned.
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

    /// Lets a user bear no nick.
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
