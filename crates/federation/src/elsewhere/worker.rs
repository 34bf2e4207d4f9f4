//! The process that carries out actions which other servers have to answer.
//!
//! The write side hands it an action when the beginning of that is durable. After a start it finds the actions that had
//! not ended: its checkpoint stays before the first of them.
//!
//! **Invariant:** actions of different users do not wait for each other, and actions of one user in
//! one room are carried out in their order.
//! **Invariant:** an action that is carried out twice ends once and has one effect.

use std::{
    collections::{HashMap, HashSet},
    path::Path,
    sync::{Arc, Weak},
    time::Duration,
};

use parking_lot::Mutex;
use rookery_command::{BegunAction, HandleError, RemoteActions};
use rookery_domain::{OwnedRoomId, Rejection, RemoteAsk, RemoteOutcome, RoomId, UserId};
use rookery_log::{Millis, Record};
use rookery_processes::{Checkpoint, Process, Progress, Undone};
use tokio::{
    sync::{OwnedMutexGuard, Semaphore, mpsc},
    task::JoinSet,
    time::{MissedTickBehavior, interval, sleep},
};

use super::{inviting, joining, leaving};
use crate::home::Home;

/// The name of the process.
const NAME: &str = "remote-actions";

/// Actions that are carried out at the same time.
const AT_ONCE_MAX: usize = 256;

/// Answers with whole states that are in memory at the same time.
const LARGE_MAX: usize = 4;

/// How long an action waits after a failure of the log: at first, and at most.
const RETRY: (Duration, Duration) = (Duration::from_secs(1), Duration::from_mins(1));

/// How often the checkpoint is saved while nothing ends.
const SAVE_EVERY: Duration = Duration::from_secs(30);

/// Carries out actions.
pub(crate) struct Worker {
    home: Arc<Home>,
    limits: Arc<Limits>,
    progress: Progress,
    sender: mpsc::UnboundedSender<BegunAction>,
    begun: tokio::sync::Mutex<mpsc::UnboundedReceiver<BegunAction>>,
}

/// The bounds that all actions share.
pub(crate) struct Limits {
    at_once: Semaphore,
    /// Answers with whole states.
    pub(super) large: Semaphore,
    turns: Mutex<HashMap<String, Arc<tokio::sync::Mutex<()>>>>,
    /// The rooms that are being joined, with the number of joins.
    expected: Mutex<HashMap<OwnedRoomId, usize>>,
}

/// A room is being joined, until this is dropped.
pub(super) struct Expecting<'a> {
    limits: &'a Limits,
    room: OwnedRoomId,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            at_once: Semaphore::new(AT_ONCE_MAX),
            large: Semaphore::new(LARGE_MAX),
            turns: Mutex::default(),
            expected: Mutex::default(),
        }
    }
}

impl Limits {
    /// Waits until no other task has the turn of this name.
    pub(super) async fn turn(&self, name: &str) -> OwnedMutexGuard<()> {
        let turn = {
            let mut turns = self.turns.lock();
            if turns.len() > AT_ONCE_MAX {
                turns.retain(|_, turn| Arc::strong_count(turn) > 1);
            }
            Arc::clone(turns.entry(name.to_owned()).or_default())
        };
        turn.lock_owned().await
    }

    /// Waits until no other large answer for the user is in memory.
    pub(super) async fn large_of(&self, user: &UserId) -> OwnedMutexGuard<()> {
        self.turn(&format!("large {user}")).await
    }

    /// Notes that a room is being joined: its events may come before the join is here.
    pub(super) fn expect(&self, room: &RoomId) -> Expecting<'_> {
        *self.expected.lock().entry(room.to_owned()).or_default() += 1;
        Expecting { limits: self, room: room.to_owned() }
    }

    /// Whether a user is joining the room now.
    pub(crate) fn expects(&self, room: &RoomId) -> bool {
        self.expected.lock().contains_key(room)
    }
}

impl Drop for Expecting<'_> {
    fn drop(&mut self) {
        let mut expected = self.limits.expected.lock();
        if let Some(count) = expected.get_mut(&self.room) {
            *count -= 1;
            if *count == 0 {
                expected.remove(&self.room);
            }
        }
    }
}

/// The end of the port at the write side. It does not keep the worker alive.
struct Port(Weak<Worker>);

impl RemoteActions for Port {
    fn carry_out(&self, begun: BegunAction) {
        if let Some(worker) = self.0.upgrade() {
            worker.take(begun);
        }
    }
}

impl Worker {
    /// A worker with its checkpoint in `folder`. The write side tells it of actions from now on.
    pub(crate) fn connect(home: &Arc<Home>, folder: Option<&Path>) -> Arc<Self> {
        let log = home.reader.models().log();
        let (epoch, tail) = (log.epoch(), *log.tail().borrow());
        let progress = Progress::open(NAME, Checkpoint::of(folder, NAME, epoch), tail);
        let (sender, receiver) = mpsc::unbounded_channel();
        let worker = Arc::new(Self {
            home: Arc::clone(home),
            limits: Arc::clone(&home.limits),
            progress,
            sender,
            begun: tokio::sync::Mutex::new(receiver),
        });
        home.commands.connect(Arc::new(Port(Arc::downgrade(&worker))));
        worker
    }

    fn take(&self, begun: BegunAction) {
        self.progress.keep_open(begun.position);
        // The receiver lives as long as this.
        self.sender.send(begun).ok();
    }

    /// Carries out actions until this is dropped.
    #[expect(clippy::await_holding_invalid_type, reason = "it runs in a task of its own")]
    pub(crate) async fn run(&self) {
        let mut arrivals = self.begun.lock().await;
        let log = Arc::clone(self.home.reader.models().log());
        let clock = || Millis(self.home.now());
        let mut follow = std::pin::pin!(self.progress.follow(&*log, &clock, |_| Found(self)));
        let (mut tasks, mut running) = (JoinSet::new(), HashSet::new());
        let mut saves = interval(SAVE_EVERY);
        saves.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = &mut follow => return,
                Some(begun) = arrivals.recv() => {
                    if running.insert(begun.action.id.clone()) {
                        let (home, limits) = (Arc::clone(&self.home), Arc::clone(&self.limits));
                        tasks.spawn(async move {
                            carry_out(&home, &limits, &begun).await;
                            (begun.action.id, begun.position)
                        });
                    }
                }
                Some(ended) = tasks.join_next() => match ended {
                    Ok((id, position)) => {
                        running.remove(&id);
                        self.progress.close(position);
                    }
                    // It stays open, and is tried again after the next start.
                    Err(error) => tracing::error!(%error, "an action on other servers broke off"),
                },
                _ = saves.tick() => self.save(&*log).await,
            }
        }
    }

    async fn save(&self, log: &dyn rookery_log::EventLog) {
        if let Err(error) = self.progress.save::<Found<'_>>(log).await {
            tracing::warn!(%error, "cannot save the checkpoint of actions on other servers");
        }
    }
}

/// Finds actions in the log that have not ended.
struct Found<'a>(&'a Worker);

impl Process for Found<'_> {
    const NAME: &'static str = NAME;

    fn concerns(record: &Record) -> bool {
        !BegunAction::of(record).is_empty()
    }

    async fn handle(&self, record: &Record) -> Result<bool, Undone> {
        let mut found = false;
        for begun in BegunAction::of(record) {
            let ended = self.0.home.commands.is_ended(&begun.action.id).await;
            if !ended.map_err(|error| Undone::Later(error.to_string()))? {
                self.0.take(begun);
                found = true;
            }
        }
        Ok(found)
    }
}

/// Carries out an action, and records its end.
#[expect(clippy::await_holding_invalid_type, reason = "it runs in a task of its own")]
async fn carry_out(home: &Home, limits: &Limits, begun: &BegunAction) {
    let _turn = limits.turn(&lane(begun)).await;
    let Ok(_permit) = limits.at_once.acquire().await else { return };
    let mut pause = RETRY.0;
    loop {
        match try_once(home, limits, begun).await {
            Ok(()) => return,
            Err(error) => {
                tracing::warn!(%error, "an action on other servers is tried again in {pause:?}");
                sleep(pause).await;
                pause = (pause * 2).min(RETRY.1);
            }
        }
    }
}

async fn try_once(home: &Home, limits: &Limits, begun: &BegunAction) -> Result<(), HandleError> {
    if home.commands.is_ended(&begun.action.id).await? {
        return Ok(());
    }
    // A leave has had its effect here, and the other server has to learn of it.
    let is_leave = matches!(begun.action.ask, RemoteAsk::Leave { .. });
    if !is_leave && !home.commands.is_still_wanted(begun)? {
        let outcome = RemoteOutcome::from(&logged_out());
        return home.commands.end_remote(begun, outcome, Millis(home.now())).await;
    }
    let outcome = match act(home, limits, begun).await {
        Err(error) => match error.kept_code() {
            Some(code) => {
                RemoteOutcome::Refused { code: code.to_owned(), message: error.to_string() }
            }
            None => return Err(error),
        },
        Ok(outcome) => outcome,
    };
    home.commands.end_remote(begun, outcome, Millis(home.now())).await
}

async fn act(
    home: &Home,
    limits: &Limits,
    begun: &BegunAction,
) -> Result<RemoteOutcome, HandleError> {
    match &begun.action.ask {
        RemoteAsk::Join { room, via, reason } => {
            joining::join(home, limits, begun, (room, via, reason.as_deref())).await
        }
        RemoteAsk::Knock { room, via, reason } => {
            leaving::knock(home, begun, (room, via, reason.as_deref())).await
        }
        RemoteAsk::Leave { room_id, via, reason } => {
            Ok(leaving::leave(home, begun, (room_id, via, reason.as_deref())).await)
        }
        RemoteAsk::Invite { room_id, user_id, is_direct, reason } => {
            if user_id.server_name() == home.own.server_name {
                return Ok(RemoteOutcome::from(&Rejection::NoSuchUser(user_id.clone())));
            }
            let wanted = inviting::Wanted {
                room: room_id.clone(),
                user: user_id.clone(),
                is_direct: *is_direct,
                reason: reason.clone(),
            };
            inviting::invite(home, begun, wanted).await
        }
    }
}

/// The refusal of an action whose device was logged out.
pub(super) fn logged_out() -> Rejection {
    Rejection::Forbidden {
        rule: "the device was logged out before other servers answered".to_owned(),
    }
}

/// Actions of one user in one room take turns.
fn lane(begun: &BegunAction) -> String {
    let room = match &begun.action.ask {
        RemoteAsk::Join { room, .. } | RemoteAsk::Knock { room, .. } => room.as_str(),
        RemoteAsk::Leave { room_id, .. } => room_id.as_str(),
        RemoteAsk::Invite { room_id, user_id, .. } => {
            return format!("{} {room_id} {user_id}", begun.user);
        }
    };
    format!("{} {room}", begun.user)
}
