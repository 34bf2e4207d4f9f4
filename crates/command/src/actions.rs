//! Numbered actions: each once, and in the order of their numbers.
//!
//! A device numbers its actions. Their requests may arrive in any order. Each action waits for its
//! turn: until the action before it has its place in the log, or has not arrived for a while. A
//! turn ends when the commit is in flight, not when it is on the disk, so one device can have many
//! in flight.
//!
//! Every action leaves one commit with its ID: the events that it made, or a note in the stream of
//! its user. The note says that the action changed nothing, or why it was refused. That commit is
//! the place of the action in the order, and the answer to a retry.
//!
//! **Invariant:** the commits of a device's actions stand in the log in the order of their numbers.
//! **Invariant:** an action that waited is carried out only if its device is still logged in.
//! **Invariant:** the state here follows from the log and can be lost at any time.

mod first;
mod order;
mod turn;

use std::{num::NonZeroUsize, sync::Arc, time::Duration};

use lru::LruCache;
use parking_lot::Mutex;
use rookery_actions::{Line, Step};
use rookery_domain::{Fingerprint, OwnedUserId, UserId};
use rookery_log::{AppendError, CommandId, Position};
use tokio::time::Instant;

pub(crate) use self::{
    first::{First, fingerprint},
    order::Attempt,
    turn::ActionTurn,
};
use crate::{Actor, Command, HandleError, LastActions, LoggedIn, Retry};

/// How many lines an action checks to find some that can be evicted.
const LOOKED_AT_MAX: usize = 16;

/// An action of a device.
#[derive(Clone, Debug)]
pub(crate) struct Action {
    pub(crate) user: OwnedUserId,
    pub(crate) device: String,
    pub(crate) number: u64,
    pub(crate) fingerprint: Fingerprint,
    /// The command ID of its commit.
    pub(crate) command: CommandId,
}

impl Actor {
    /// The action of `command`, if it has a number and a device.
    fn action(&self, retry: Retry, command: &Command) -> Option<Action> {
        let Retry::Action(number) = retry else { return None };
        let (device, name) = (self.device.clone()?, self.command_id(number)?);
        let fingerprint = Fingerprint::of(&name.0, command);
        Some(Action { user: self.user.clone(), device, number, fingerprint, command: name })
    }
}

/// The answer to an action that enters its line.
enum Entered {
    /// Carry it out now.
    ActionTurn(ActionTurn),
    /// This number or a greater one was carried out; the log knows which.
    Passed {
        /// The greatest number so far.
        last: u64,
    },
}

/// The active devices, each with a line of its own. The least recently used lines are evicted.
pub(crate) struct Actions {
    lines: Mutex<LruCache<(OwnedUserId, String), Arc<Line>>>,
    devices_max: NonZeroUsize,
    wait: Duration,
    counted: Arc<dyn LastActions>,
    /// Checks which devices are logged in; without it, all are.
    logged_in: Option<Arc<dyn LoggedIn>>,
}

impl Actions {
    /// Makes lines for `devices_max` devices. In a line an action waits up to `wait` for a missing
    /// number.
    pub(crate) fn new(counted: Arc<dyn LastActions>, devices_max: usize, wait: Duration) -> Self {
        let devices_max = NonZeroUsize::new(devices_max).unwrap_or(NonZeroUsize::MIN);
        Self {
            lines: Mutex::new(LruCache::unbounded()),
            devices_max,
            wait,
            counted,
            logged_in: None,
        }
    }

    /// Checks with `logged_in` before an action that has waited is carried out.
    pub(crate) fn ask(&mut self, logged_in: Arc<dyn LoggedIn>) {
        self.logged_in = Some(logged_in);
    }

    fn check_logged_in(&self, action: &Action) -> Result<(), HandleError> {
        let is_logged_in = self.is_logged_in(&action.user, &action.device)?;
        if is_logged_in { Ok(()) } else { Err(HandleError::LoggedOut) }
    }

    /// Whether a device is logged in now.
    pub(crate) fn is_logged_in(&self, user: &UserId, device: &str) -> Result<bool, HandleError> {
        let asked = self.logged_in.as_ref();
        Ok(asked.map_or(Ok(true), |port| port.is_logged_in(user, device))?)
    }

    fn line(&self, user: &UserId, device: &str) -> Arc<Line> {
        let mut lines = self.lines.lock();
        let key = (user.to_owned(), device.to_owned());
        let line = Arc::clone(lines.get_or_insert(key, Arc::default));
        let_go(&mut lines, self.devices_max.get());
        line
    }

    /// Waits for the turn of `action`. `tail` returns the last durable position.
    async fn enter(
        &self,
        action: Action,
        tail: impl Fn() -> Position,
    ) -> Result<Entered, HandleError> {
        let line = self.line(&action.user, &action.device);
        let place = line.queue(action.number, Instant::now() + self.wait);
        let mut waited = false;
        loop {
            match place.step(Instant::now()) {
                Step::Go { serial, before } => {
                    let turn = ActionTurn::new(&line, action, serial, before);
                    if waited {
                        self.check_logged_in(&turn.action)?;
                    }
                    return Ok(Entered::ActionTurn(turn));
                }
                Step::Passed { last } => return Ok(Entered::Passed { last }),
                Step::Overtaken(append) => drop(append.await),
                Step::PutOff { kind, wait } => {
                    return Err(HandleError::RateLimited { kind, wait });
                }
                Step::UnderWay(append) => match append.await {
                    Ok(_) => {}
                    Err(AppendError::Unavailable(error)) => return Err(error.into()),
                    Err(AppendError::Unfit) => return Err(HandleError::TooLarge),
                    Err(AppendError::Conflict { .. }) => {
                        return Err(HandleError::Contended { attempts: 1 });
                    }
                },
                Step::Unknown { generation } => {
                    let (user, device) = (&action.user, &action.device);
                    let last = self.counted.last_action(user, device, tail()).await?;
                    line.learn(generation, last);
                }
                Step::Wait(until) => {
                    place.wait(until).await;
                    waited = true;
                }
            }
        }
    }
}

/// Evicts the least recently used lines that are empty, if there are too many. Returns how many
/// lines it checked.
fn let_go<K: std::hash::Hash + Eq + Clone>(
    lines: &mut LruCache<K, Arc<Line>>,
    count_max: usize,
) -> usize {
    for looked_at in 0..LOOKED_AT_MAX {
        if lines.len() <= count_max {
            return looked_at;
        }
        let Some((oldest, line)) = lines.peek_lru() else { return looked_at };
        if Arc::strong_count(line) == 1 {
            lines.pop_lru();
        } else {
            // A line with a waiting or running action stays; the next check begins after it.
            let oldest = oldest.clone();
            lines.promote(&oldest);
        }
    }
    LOOKED_AT_MAX
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_action_looks_at_few_lines_however_many_somebody_is_in() {
        let mut lines = LruCache::unbounded();
        let held: Vec<Arc<Line>> = (0..1_000).map(|_| Arc::default()).collect();
        for (device, line) in held.iter().enumerate() {
            lines.put(device, Arc::clone(line));
        }
        assert_eq!(let_go(&mut lines, 10), LOOKED_AT_MAX);
        assert_eq!(lines.len(), 1_000);
        for device in 1_000..1_200 {
            lines.put(device, Arc::default());
            let_go(&mut lines, 1_000);
        }
        // These actions check the first lines again, sixteen at a time.
        for _ in 0..200 {
            let_go(&mut lines, 1_000);
        }
        assert_eq!(lines.len(), 1_000);
        let kept = held.iter().enumerate().filter(|(device, _)| lines.contains(device)).count();
        assert_eq!(kept, 1_000);
    }
}
