//! Rate limits of users: each kind of action has a limit of its own.
//!
//! **Invariant:** nothing here reads a clock: the time of the request counts.
//! **Invariant:** a refusal takes nothing from a bucket and leaves nothing in the log, so the same
//! action can be sent again.
//! **Invariant:** memory is bounded: only the [`BUCKETS_MAX`] last used buckets are remembered.

use std::time::Duration;

use rookery_actions::{ActionKind, ActionRates};
use rookery_domain::{RoomCommand, UserId};
use rookery_log::Millis;
use rookery_namespaces::Service;
use rookery_rates::{Buckets, Draw};

use crate::{Actor, Command, HandleError};

/// How many buckets are remembered. A forgotten bucket is full.
const BUCKETS_MAX: usize = 100_000;

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
        Command::InRoom { command, .. } | Command::Enter { command, .. } => match command {
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
