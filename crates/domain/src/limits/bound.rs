//! Bounds of counts, and the messages for users who reach one.
//!
//! **Invariant:** each bound has a code of its own, and its message says what to do about it.

use std::fmt;

use crate::limits;

/// A bound on a count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bound {
    /// Aliases that a user has given to rooms.
    Aliases,
    /// Filters that a user has stored.
    Filters,
    /// Rooms for which a user has preferences.
    RoomPreferences,
    /// Users whom a user ignores.
    IgnoredUsers,
    /// Entries of account data of a user.
    AccountData,
    /// Bytes of the account data of a user.
    AccountDataBytes,
    /// Reactions of one user to one event.
    OwnReactions,
    /// Different reactions to one event.
    Reactions,
    /// Edits of one message.
    Edits,
    /// State of a room, beside its members.
    StateKeys,
    /// Banned users of a room.
    Bans,
    /// Rooms that a user has joined.
    Rooms,
    /// Rooms that a user knocks on.
    Knocks,
    /// Invites that a user has not answered.
    Invites,
    /// Calls in a room at a time.
    Calls,
    /// Actions of a user that wait for the answers of other servers.
    RemoteActions,
}

impl Bound {
    /// The greatest count that is allowed.
    #[must_use]
    pub const fn max(self) -> usize {
        match self {
            Self::Aliases => limits::ALIASES_OF_USER_MAX,
            Self::Filters => limits::FILTERS_MAX,
            Self::RoomPreferences => limits::ROOM_PREFERENCES_MAX,
            Self::IgnoredUsers => limits::IGNORED_USERS_MAX,
            Self::AccountData => limits::ACCOUNT_DATA_MAX,
            Self::AccountDataBytes => limits::ACCOUNT_DATA_TOTAL_BYTES_MAX,
            Self::OwnReactions => limits::REACTIONS_OF_USER_MAX,
            Self::Reactions => limits::REACTIONS_MAX,
            Self::Edits => limits::EDITS_MAX,
            Self::StateKeys => limits::STATE_KEYS_MAX,
            Self::Bans => limits::BANS_MAX,
            Self::Rooms => limits::ROOMS_MAX,
            Self::Knocks => limits::KNOCKS_MAX,
            Self::Invites => limits::INVITES_PENDING_MAX,
            Self::Calls => limits::ACTIVE_CALLS_MAX,
            Self::RemoteActions => limits::REMOTE_ACTIONS_MAX,
        }
    }

    /// The stable code, for programs.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Aliases => "TOO_MANY_ALIASES",
            Self::Filters => "TOO_MANY_FILTERS",
            Self::RoomPreferences => "TOO_MANY_PREFERENCES",
            Self::IgnoredUsers => "TOO_MANY_IGNORED_USERS",
            Self::AccountData | Self::AccountDataBytes => "TOO_MUCH_ACCOUNT_DATA",
            Self::OwnReactions | Self::Reactions => "TOO_MANY_REACTIONS",
            Self::Edits => "TOO_MANY_EDITS",
            Self::StateKeys => "TOO_MANY_STATE_KEYS",
            Self::Bans => "TOO_MANY_BANS",
            Self::Rooms => "TOO_MANY_ROOMS",
            Self::Knocks => "TOO_MANY_KNOCKS",
            Self::Invites => "TOO_MANY_INVITES",
            Self::Calls => "TOO_MANY_CALLS",
            Self::RemoteActions => "TOO_MANY_REMOTE_ACTIONS",
        }
    }

    /// Refuses one more if there are `count` already.
    ///
    /// # Errors
    /// [`Rejection::Bound`](crate::Rejection::Bound).
    pub fn admit(self, count: usize) -> Result<(), crate::Rejection> {
        if count < self.max() { Ok(()) } else { Err(crate::Rejection::Bound(self)) }
    }
}

impl fmt::Display for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let max = self.max();
        match self {
            Self::Aliases => {
                write!(f, "you have given {max} aliases to rooms; remove some of them first")
            }
            Self::Filters => write!(f, "you have stored {max} filters; delete one first"),
            Self::RoomPreferences => write!(
                f,
                "you have preferences for {max} rooms; set those of one of them back to the \
                 defaults first"
            ),
            Self::IgnoredUsers => write!(f, "you ignore {max} users; unignore one first"),
            Self::AccountData => {
                write!(f, "you have {max} entries of account data; delete one first")
            }
            Self::AccountDataBytes => {
                write!(f, "your account data would have more than {max} bytes; delete some first")
            }
            Self::OwnReactions => {
                write!(f, "you have reacted to this event in {max} ways; redact one of them first")
            }
            Self::Reactions => {
                write!(f, "this event has {max} different reactions; use one of them")
            }
            Self::Edits => write!(f, "this message has {max} edits; send a new message"),
            Self::StateKeys => {
                write!(f, "this room has {max} pieces of state; change an existing one")
            }
            Self::Bans => write!(f, "{max} users are banned from this room; lift a ban first"),
            Self::Rooms => write!(f, "you have joined {max} rooms; leave one first"),
            Self::Knocks => {
                write!(
                    f,
                    "you have asked to join {max} rooms; withdraw one of these requests first"
                )
            }
            Self::Invites => {
                write!(f, "this user has {max} invites to answer; ask them to answer some first")
            }
            Self::Calls => {
                write!(f, "there are {max} calls in this room; wait until one of them ends")
            }
            Self::RemoteActions => write!(
                f,
                "{max} of your actions wait for the answers of other servers; wait until one of \
                 them ends"
            ),
        }
    }
}
