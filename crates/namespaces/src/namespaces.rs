//! The names of users, aliases and rooms that one service claims.

use rookery_domain::{RoomAliasId, RoomId, UserId};
use serde::{Deserialize, Serialize};

use super::pattern::{Pattern, PatternError};

/// Most patterns of each kind.
pub const NAMESPACES_MAX: usize = 64;

/// One claim, as a registration states it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claim {
    /// A regular expression that matches whole names.
    pub regex: String,
    /// Whether nobody else may have such a name.
    pub exclusive: bool,
}

/// The claims cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NamespacesError {
    /// There are more patterns of a kind than allowed.
    #[error("{count} patterns are too many, the maximum is {NAMESPACES_MAX}; join some with `|`")]
    TooMany {
        /// Their number.
        count: usize,
    },
    /// A pattern cannot be used.
    #[error("{error}")]
    Pattern {
        /// The number of the pattern, from 0.
        index: usize,
        /// The reason.
        error: PatternError,
    },
}

/// The patterns of one kind.
#[derive(Clone, Debug, Default)]
pub(crate) struct Claims(Vec<(Pattern, bool)>);

impl Claims {
    pub(crate) fn new(claims: &[Claim]) -> Result<Self, NamespacesError> {
        if claims.len() > NAMESPACES_MAX {
            return Err(NamespacesError::TooMany { count: claims.len() });
        }
        let compile = |(index, claim): (usize, &Claim)| {
            let pattern = Pattern::new(&claim.regex);
            let pattern = pattern.map_err(|error| NamespacesError::Pattern { index, error })?;
            Ok((pattern, claim.exclusive))
        };
        claims.iter().enumerate().map(compile).collect::<Result<_, _>>().map(Self)
    }

    pub(crate) fn claim(&self, name: &str) -> bool {
        self.0.iter().any(|(pattern, _)| pattern.matches(name))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn exclude(&self, name: &str) -> bool {
        self.0.iter().any(|(pattern, exclusive)| *exclusive && pattern.matches(name))
    }

    /// The exclusive patterns.
    pub(crate) fn exclusive(&self) -> impl Iterator<Item = &str> {
        let exclusive = self.0.iter().filter(|(_, exclusive)| *exclusive);
        exclusive.map(|(pattern, _)| pattern.as_str())
    }
}

/// The names that a service claims.
///
/// An exclusive claim keeps everybody else from the names. Exclusive claims on rooms keep nobody
/// out, because the server draws the IDs of rooms.
#[derive(Clone, Debug, Default)]
pub struct Namespaces {
    pub(crate) users: Claims,
    pub(crate) aliases: Claims,
    pub(crate) rooms: Claims,
}

impl Namespaces {
    /// Whether the user is in a namespace.
    #[must_use]
    pub fn claims_user(&self, user: &UserId) -> bool {
        self.users.claim(user.as_str())
    }

    /// Whether the alias is in a namespace.
    #[must_use]
    pub fn claims_alias(&self, alias: &RoomAliasId) -> bool {
        self.aliases.claim(alias.as_str())
    }

    /// Whether the room is in a namespace.
    #[must_use]
    pub fn claims_room(&self, room: &RoomId) -> bool {
        self.rooms.claim(room.as_str())
    }

    /// Whether there is a claim on users.
    #[must_use]
    pub fn claims_users(&self) -> bool {
        !self.users.is_empty()
    }

    /// Whether there is a claim on aliases.
    #[must_use]
    pub fn claims_aliases(&self) -> bool {
        !self.aliases.is_empty()
    }

    /// Whether there is a claim on rooms.
    #[must_use]
    pub fn claims_rooms(&self) -> bool {
        !self.rooms.is_empty()
    }

    /// Whether the user is in an exclusive namespace.
    #[must_use]
    pub fn excludes_user(&self, user: &UserId) -> bool {
        self.users.exclude(user.as_str())
    }

    /// Whether the alias is in an exclusive namespace.
    #[must_use]
    pub fn excludes_alias(&self, alias: &RoomAliasId) -> bool {
        self.aliases.exclude(alias.as_str())
    }
}

#[cfg(test)]
mod tests;
