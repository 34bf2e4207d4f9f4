//! Rate limits of users: each kind of action has a limit of its own.
//!
//! **Invariant:** nothing here reads a clock: the time of the request counts.
//! **Invariant:** a refusal takes nothing from a bucket and leaves nothing in the log, so the same
//! action can be sent again.
//! **Invariant:** memory is bounded: only the [`BUCKETS_MAX`] last used buckets are remembered.

use std::{fmt, time::Duration};

use rookery_domain::{RoomCommand, UserId};
use rookery_log::Millis;
use rookery_namespaces::Service;
use rookery_rates::{Buckets, Draw, Pace};

use crate::{Actor, Command, HandleError};

/// How many buckets are remembered. A forgotten bucket is full.
const BUCKETS_MAX: usize = 100_000;

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

/// The buckets of all users.
pub(crate) struct RateLimiter {
    rates: ActionRates,
    buckets: Buckets,
}

impl RateLimiter {
    pub(crate) fn new(rates: ActionRates) -> Self {
        Self { rates, buckets: Buckets::new(BUCKETS_MAX) }
    }

    /// Takes the cost of `asked` from the buckets of `actor`, all or nothing.
    ///
    /// # Errors
    /// [`HandleError::RateLimited`], with the time to wait.
    pub(crate) fn charge(&self, actor: &Actor, asked: &Command<'_>) -> Result<(), HandleError> {
        if actor.device.is_none() {
            return Ok(());
        }
        if let Some(service) = &actor.service {
            return self.charge_service(service, weight(asked), actor.now);
        }
        let draws = counts(asked).into_iter().filter(|(_, count)| *count > 0);
        let draws = draws.filter_map(|(kind, count)| {
            let key = (kind, actor.user.as_str());
            Some(Draw { pace: self.rates.pace(kind)?, key, count })
        });
        let taken = self.buckets.take_all(draws, actor.now.0);
        taken.map_err(|((kind, _), wait)| HandleError::RateLimited { kind, wait })
    }

    /// Takes `count` actions from the bucket of a service, whatever their kinds and its users are.
    ///
    /// # Errors
    /// [`HandleError::RateLimited`], with the time to wait.
    pub(crate) fn charge_service(
        &self,
        service: &Service,
        count: u32,
        now: Millis,
    ) -> Result<(), HandleError> {
        let kind = ActionKind::Services;
        let Some(pace) = self.rates.pace(kind).filter(|_| service.is_rate_limited) else {
            return Ok(());
        };
        let draws = [Draw { pace, key: (kind, service.name.as_str()), count }].into_iter();
        let taken = self.buckets.take_all(draws, now.0);
        taken.map_err(|(_, wait)| HandleError::RateLimited { kind, wait })
    }

    /// Takes one call from the calls that `callee` may get. Returns whether there was one left.
    pub(crate) fn take_incoming_call(&self, actor: &Actor, callee: &UserId) -> bool {
        let kind = ActionKind::IncomingCalls;
        let pace = self.rates.pace(kind).filter(|_| actor.device.is_some());
        self.buckets.take(pace, &(kind, callee.as_str()), actor.now.0).is_ok()
    }
}

/// The kinds of action of a request, with the number of each.
fn counts(asked: &Command<'_>) -> [(ActionKind, u32); 3] {
    let many = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
    let one = |kind| [(kind, 1), (kind, 0), (kind, 0)];
    match asked {
        Command::InRoom { command, .. } | Command::InRoomOfAlias { command, .. } => match command {
            RoomCommand::SetAliases { canonical, alternative } => {
                let aliases = usize::from(canonical.is_some()) + alternative.len();
                let [state, ..] = one(ActionKind::State);
                [state, (ActionKind::Aliases, many(aliases)), state_none()]
            }
            command => one(kind_of(command)),
        },
        Command::CreateRoom { room } => [
            (ActionKind::Rooms, 1),
            (ActionKind::Invites, many(room.invite.len())),
            (ActionKind::Aliases, u32::from(room.alias.is_some())),
        ],
        Command::UpgradeRoom { .. } => one(ActionKind::Rooms),
        Command::SetProfile { .. } => one(ActionKind::Profiles),
        Command::MarkRead(_) => one(ActionKind::Receipts),
        Command::CreateFilter { .. } | Command::DeleteFilter { .. } => one(ActionKind::Filters),
        Command::SetRoomPreferences { .. }
        | Command::SetUserIgnored { .. }
        | Command::SetAccountData { .. }
        | Command::DeleteAccountData { .. } => one(ActionKind::Preferences),
    }
}

/// The number of actions of a request, of all kinds.
fn weight(asked: &Command<'_>) -> u32 {
    counts(asked).into_iter().fold(0, |sum, (_, count)| sum.saturating_add(count))
}

const fn state_none() -> (ActionKind, u32) {
    (ActionKind::State, 0)
}

const fn kind_of(command: &RoomCommand) -> ActionKind {
    match command {
        RoomCommand::SendMessage { .. }
        | RoomCommand::SendEvent { .. }
        | RoomCommand::Redact { .. }
        | RoomCommand::AnswerCall { .. }
        | RoomCommand::RejectCall { .. }
        | RoomCommand::HangUpCall { .. }
        | RoomCommand::EndCall { .. } => ActionKind::Messages,
        RoomCommand::PlaceCall(_) => ActionKind::Calls,
        RoomCommand::React { .. } => ActionKind::Reactions,
        RoomCommand::Invite { .. } => ActionKind::Invites,
        RoomCommand::Join { .. }
        | RoomCommand::Leave { .. }
        | RoomCommand::Knock { .. }
        | RoomCommand::Kick { .. }
        | RoomCommand::Ban { .. }
        | RoomCommand::Unban { .. } => ActionKind::Memberships,
        _ => ActionKind::State,
    }
}

/// A time as whole seconds, rounded up.
pub(crate) fn seconds(wait: Duration) -> u64 {
    wait.as_secs() + u64::from(wait.subsec_nanos() > 0)
}
