//! The kinds of action that have rate limits.

use std::{fmt, time::Duration};

use rookery_rates::Pace;

/// A kind of action with a rate limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ActionKind {
    /// Messages, edits, other events, redactions.
    Messages,
    /// Reactions.
    Reactions,
    /// Changes of the state of rooms.
    State,
    /// New rooms.
    Rooms,
    /// Joins, leaves, knocks, kicks, bans.
    Memberships,
    /// Invites.
    Invites,
    /// Aliases given to rooms.
    Aliases,
    /// Changes of the profile. Each is written to all rooms of the user.
    Profiles,
    /// Filters.
    Filters,
    /// Preferences and account data.
    Preferences,
    /// Read receipts.
    Receipts,
    /// Placed calls.
    Calls,
    /// Calls to one user, by all callers together.
    IncomingCalls,
    /// All actions of a service together, as any of its users.
    Services,
}

impl ActionKind {
    /// All kinds.
    pub const ALL: [Self; 14] = [
        Self::Messages,
        Self::Reactions,
        Self::State,
        Self::Rooms,
        Self::Memberships,
        Self::Invites,
        Self::Aliases,
        Self::Profiles,
        Self::Filters,
        Self::Preferences,
        Self::Receipts,
        Self::Calls,
        Self::IncomingCalls,
        Self::Services,
    ];

    /// Its name in settings.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Messages => "messages",
            Self::Reactions => "reactions",
            Self::State => "state",
            Self::Rooms => "rooms",
            Self::Memberships => "memberships",
            Self::Invites => "invites",
            Self::Aliases => "aliases",
            Self::Profiles => "profiles",
            Self::Filters => "filters",
            Self::Preferences => "preferences",
            Self::Receipts => "receipts",
            Self::Calls => "calls",
            Self::IncomingCalls => "incoming_calls",
            Self::Services => "services",
        }
    }

    const fn index(self) -> usize {
        self as usize
    }
}

impl fmt::Display for ActionKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Messages => "messages",
            Self::Reactions => "reactions",
            Self::State => "changes of rooms",
            Self::Rooms => "new rooms",
            Self::Memberships => "changes of membership",
            Self::Invites => "invites",
            Self::Aliases => "new aliases",
            Self::Profiles => "changes of the profile",
            Self::Filters => "new filters",
            Self::Preferences => "changes of preferences",
            Self::Receipts => "read receipts",
            Self::Calls => "calls",
            Self::IncomingCalls => "calls to this user",
            Self::Services => "actions of this service",
        })
    }
}

/// The rate limits of users. The server's own tasks, imports and operators have none.
///
/// Each is kept as its burst and its interval in milliseconds; a burst of 0 means no limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ActionRates([(u32, u32); ActionKind::ALL.len()]);

impl ActionRates {
    /// Returns these limits with this one for `kind`; `None` for no limit. An interval is at least
    /// a millisecond.
    #[must_use]
    pub fn with(mut self, kind: ActionKind, pace: Option<Pace>) -> Self {
        let millis = |interval: Duration| u32::try_from(interval.as_millis()).unwrap_or(u32::MAX);
        self.0[kind.index()] =
            pace.map_or((0, 0), |pace| (pace.burst, millis(pace.interval).max(1)));
        self
    }

    /// The rate limit of `kind`.
    #[must_use]
    pub fn pace(&self, kind: ActionKind) -> Option<Pace> {
        let (burst, millis) = self.0[kind.index()];
        (burst > 0).then(|| Pace { burst, interval: Duration::from_millis(millis.into()) })
    }
}
