//! The line of one device's actions.
//!
//! **Invariant:** the least waiting number goes first, and only one at a time.
//! **Invariant:** an action that was put off by a rate limit goes before the later ones, while it
//! is expected again.
//! **Invariant:** every change wakes the first action in the line; only that one can go.
//! **Invariant:** a number counts as passed only while its commit is in the log or in flight. When
//! the commit fails, its turn reports that; if the turn was dropped, the log is asked again.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use parking_lot::Mutex;
use rookery_log::{AppendError, Appended};
use rookery_work::SharedFuture;
use tokio::{sync::Notify, time::Instant};

use crate::ActionKind;

/// An append in flight, for which several tasks wait.
pub type SharedAppend = SharedFuture<Result<Appended, AppendError>>;

/// When more actions wait, the first one goes without the missing numbers.
const WAITING_MAX: usize = 256;

/// How long an action that was put off is expected again, after the time that the client received.
const EXPECTED: Duration = Duration::from_secs(10);

/// The line of a device.
#[derive(Default)]
pub struct Line {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// The greatest number with a place in the log; `None` if the log has to be asked.
    last: Option<u64>,
    /// The greatest number that is known to be in the log. It stays when `last` is cleared.
    written: u64,
    /// Grows whenever `last` is cleared.
    generation: u64,
    /// The number that has the turn.
    turn: Option<u64>,
    /// The last serial number of a turn or place.
    serial: u64,
    /// By number, then by serial number.
    waiting: BTreeMap<(u64, u64), Waiting>,
    /// Actions whose commits are in flight.
    under_way: BTreeMap<u64, UnderWay>,
    /// The least number that was put off.
    put_off: Option<PutOff>,
}

/// An action that was put off by a rate limit.
#[derive(Clone, Copy)]
struct PutOff {
    number: u64,
    kind: ActionKind,
    /// When it can be carried out.
    at: Instant,
}

struct UnderWay {
    append: SharedAppend,
    /// Whether the turn that handles a failure of the append was dropped.
    orphaned: bool,
}

struct Waiting {
    until: Instant,
    wake: Arc<Notify>,
}

/// The next step of an action in the line.
pub enum Step {
    /// Carry the action out.
    Go {
        /// The serial number of the turn.
        serial: u64,
        /// The greatest number so far.
        before: u64,
    },
    /// This number or a greater one is in the log.
    Passed {
        /// The greatest number.
        last: u64,
    },
    /// An earlier action was put off and has to come first, so this one is put off too.
    PutOff {
        /// The kind of the earlier action.
        kind: ActionKind,
        /// The time to wait.
        wait: Duration,
    },
    /// The same number is in flight: wait for it, then check again.
    UnderWay(SharedAppend),
    /// A greater number is in flight and decides whether this one was passed. Wait for its outcome,
    /// then check again.
    Overtaken(SharedAppend),
    /// Ask for the greatest number, pass it to [`Line::learn`], then check again.
    Unknown {
        /// The argument of [`Line::learn`].
        generation: u64,
    },
    /// Wait for a wake-up or until this time, then check again.
    Wait(Option<Instant>),
}

impl State {
    fn step(&mut self, number: u64, now: Instant) -> Step {
        self.forget_answered();
        if let Some(same) = self.under_way.get(&number) {
            return Step::UnderWay(same.append.clone());
        }
        let Some(last) = self.last else { return Step::Unknown { generation: self.generation } };
        if number <= last {
            let greatest = self.under_way.last_entry().filter(|greatest| *greatest.key() > number);
            if let Some(greatest) = greatest {
                match greatest.get().append.peek() {
                    None => return Step::Overtaken(greatest.get().append.clone()),
                    Some(Ok(_)) => {}
                    // It has overtaken no action.
                    Some(Err(_)) => {
                        drop(greatest.remove());
                        self.forget();
                        return Step::Unknown { generation: self.generation };
                    }
                }
            }
            return Step::Passed { last };
        }
        let is_first = self.waiting.first_key_value().is_some_and(|((it, _), _)| *it == number);
        if self.turn.is_some() || !is_first {
            return Step::Wait(None);
        }
        let put_off = self.put_off.filter(|off| off.number > last && now < off.at + EXPECTED);
        self.put_off = put_off;
        if let Some(off) = put_off.filter(|off| off.number < number) {
            // The client retries both, and the earlier one may arrive a moment after this one.
            let wait = off.at.saturating_duration_since(now).max(Duration::from_millis(1));
            return Step::PutOff { kind: off.kind, wait };
        }
        // No action waits beyond its own time. When the time of a greater number is over, all
        // before it go.
        let until = self.waiting.values().map(|waiting| waiting.until).min();
        let waited = until.is_none_or(|until| until <= now) || self.waiting.len() > WAITING_MAX;
        if number == last + 1 || waited {
            self.serial += 1;
            self.turn = Some(self.serial);
            return Step::Go { serial: self.serial, before: last };
        }
        Step::Wait(until)
    }

    fn forget_answered(&mut self) {
        while let Some(first) = self.under_way.first_entry() {
            let orphaned = first.get().orphaned;
            match first.get().append.now() {
                Some(Ok(_)) => {
                    self.written = self.written.max(*first.key());
                    drop(first.remove());
                }
                Some(Err(_)) if orphaned => {
                    drop(first.remove());
                    self.forget();
                }
                // Its turn restores the place, or gives it up.
                Some(Err(_)) | None => break,
            }
        }
    }

    fn forget(&mut self) {
        self.last = None;
        self.generation += 1;
        self.wake_first();
    }

    fn wake_first(&self) {
        if let Some((_, first)) = self.waiting.first_key_value() {
            first.wake.notify_one();
        }
    }
}

impl Line {
    /// Joins the line. At `until` the action goes without the missing numbers.
    pub fn queue(self: &Arc<Self>, number: u64, until: Instant) -> LinePlace {
        let wake = Arc::new(Notify::new());
        let mut state = self.state.lock();
        state.serial += 1;
        let key = (number, state.serial);
        state.waiting.insert(key, Waiting { until, wake: Arc::clone(&wake) });
        if state.waiting.len() > WAITING_MAX {
            state.wake_first();
        }
        LinePlace { line: Arc::clone(self), key, wake }
    }

    /// The answer to [`Step::Unknown`].
    pub fn learn(&self, generation: u64, last: u64) {
        let mut state = self.state.lock();
        if state.generation == generation && state.last.is_none() {
            // Commits in flight from here are ahead of the answer.
            let failed = |placed: &UnderWay| placed.append.peek().is_some_and(Result::is_err);
            let placed = state.under_way.iter().rfind(|(_, placed)| !failed(placed));
            let placed = placed.map_or(0, |(number, _)| *number);
            state.last = Some(last.max(state.written).max(placed));
        }
    }

    /// The action of the turn `serial` has its place in the log.
    pub fn placed(&self, number: u64, append: SharedAppend) {
        let mut state = self.state.lock();
        state.last = state.last.max(Some(number));
        state.under_way.insert(number, UnderWay { append, orphaned: false });
    }

    /// The turn whose commit was placed as `number` was dropped, so nothing else handles a failure.
    pub fn orphan(&self, number: u64) {
        let mut state = self.state.lock();
        if let Some(placed) = state.under_way.get_mut(&number) {
            placed.orphaned = true;
            state.forget_answered();
        }
    }

    /// The action `number` is not carried out now, and is expected again after `wait`.
    pub fn put_off(&self, number: u64, kind: ActionKind, wait: Duration) {
        let mut state = self.state.lock();
        let at = Instant::now() + wait;
        if state.put_off.is_none_or(|off| number <= off.number) {
            state.put_off = Some(PutOff { number, kind, at });
        }
    }

    /// Ends the turn `serial`, if it has not ended.
    pub fn pass(&self, serial: u64) {
        let mut state = self.state.lock();
        if state.turn == Some(serial) {
            state.turn = None;
            state.wake_first();
        }
    }

    /// Restores a place that another writer has taken, and the turn. Returns `false` if a greater
    /// number was placed meanwhile, or if the greatest number is unknown.
    pub fn retake(&self, serial: u64, number: u64, before: u64) -> bool {
        let mut state = self.state.lock();
        state.under_way.remove(&number);
        let free = state.turn.is_none_or(|turn| turn == serial);
        let retaken = state.last == Some(number) && free;
        if retaken {
            state.last = Some(before);
            state.turn = Some(serial);
        }
        retaken
    }

    /// The outcome of an action is unknown, so the log has to be asked.
    pub fn forget(&self) {
        self.state.lock().forget();
    }
}

/// A place in a line. Dropping it leaves the line.
pub struct LinePlace {
    line: Arc<Line>,
    key: (u64, u64),
    wake: Arc<Notify>,
}

impl LinePlace {
    /// The next step of the action.
    #[must_use]
    pub fn step(&self, now: Instant) -> Step {
        self.line.state.lock().step(self.key.0, now)
    }

    /// Waits until the line changes, or until this time.
    pub async fn wait(&self, until: Option<Instant>) {
        let woken = self.wake.notified();
        match until {
            Some(until) => drop(tokio::time::timeout_at(until, woken).await),
            None => woken.await,
        }
    }
}

impl Drop for LinePlace {
    fn drop(&mut self) {
        let mut state = self.line.state.lock();
        state.waiting.remove(&self.key);
        state.wake_first();
    }
}
