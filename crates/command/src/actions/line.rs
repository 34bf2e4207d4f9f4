//! The actions of one device, in a line.
//!
//! **Invariant:** the least number that waits goes first, and only one at a time.
//! **Invariant:** what was put off because its user did too much goes before what comes after it, as long as it is expected again.
//! **Invariant:** whoever changes something wakes the first in the line; only that one can go.
//! **Invariant:** a number counts as passed only while its commit is in the log or on its way there:
//! when a commit fails, its turn says so; if that is gone, the log is asked again.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use parking_lot::Mutex;
use tokio::{sync::Notify, time::Instant};

use crate::{ActionKind, stream::cell::SharedAppend};

/// When more than so many wait, the first goes without those that are missing.
const WAITING_MAX: usize = 256;

/// For how long an action is expected again that was put off, after the time that its client was told.
const EXPECTED: Duration = Duration::from_secs(10);

/// The line of a device.
#[derive(Default)]
pub(crate) struct Line {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// The greatest number that has its place in the log; none if that has to be asked.
    last: Option<u64>,
    /// The greatest number that is known to be in the log. It stays when `last` is forgotten.
    written: u64,
    /// Grows whenever `last` is forgotten.
    generation: u64,
    /// Who has the turn.
    turn: Option<u64>,
    /// The last serial number that was given to a turn or to a place.
    serial: u64,
    /// By number, then by serial number.
    waiting: BTreeMap<(u64, u64), Waiting>,
    /// Those whose commits are on their way.
    under_way: BTreeMap<u64, UnderWay>,
    /// The least number that was put off.
    put_off: Option<PutOff>,
}

/// An action that was put off because its user did too much.
#[derive(Clone, Copy)]
struct PutOff {
    number: u64,
    kind: ActionKind,
    /// When it can be done.
    at: Instant,
}

struct UnderWay {
    append: SharedAppend,
    /// The turn that knows what to do if the append fails is gone.
    orphaned: bool,
}

struct Waiting {
    until: Instant,
    wake: Arc<Notify>,
}

/// What somebody in the line is to do.
pub(crate) enum Step {
    /// It is the turn of this one. `before` is the greatest number so far.
    Go { serial: u64, before: u64 },
    /// This number or a greater one is in the log.
    Passed { last: u64 },
    /// One before this was put off and has to come first: this is put off as well.
    PutOff { kind: ActionKind, wait: Duration },
    /// The same number is on its way: wait for it, then look again.
    UnderWay(SharedAppend),
    /// A greater number is on its way, and decides whether this one was passed: wait for it, whatever
    /// comes of it, then look again.
    Overtaken(SharedAppend),
    /// Ask for the greatest number, say it by [`Line::learn`], then look again.
    Unknown { generation: u64 },
    /// Wait to be woken, or until then, then look again.
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
                    // It has overtaken nobody.
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
            // The client comes back with both, and the first of them may be a moment later than this one.
            let wait = off.at.saturating_duration_since(now).max(Duration::from_millis(1));
            return Step::PutOff { kind: off.kind, wait };
        }
        // Nobody waits longer than its own time: when that of a greater number is over, all before
        // it go.
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
                // Its turn takes the place back, or gives it up.
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
    /// Joins the line. Whoever waits longer than `until` goes without those that are missing.
    pub(crate) fn queue(self: &Arc<Self>, number: u64, until: Instant) -> Place {
        let wake = Arc::new(Notify::new());
        let mut state = self.state.lock();
        state.serial += 1;
        let key = (number, state.serial);
        state.waiting.insert(key, Waiting { until, wake: Arc::clone(&wake) });
        if state.waiting.len() > WAITING_MAX {
            state.wake_first();
        }
        Place { line: Arc::clone(self), key, wake }
    }

    /// What [`Step::Unknown`] asked for.
    pub(crate) fn learn(&self, generation: u64, last: u64) {
        let mut state = self.state.lock();
        if state.generation == generation && state.last.is_none() {
            // What is on its way from here is ahead of what was asked.
            let failed = |placed: &UnderWay| placed.append.peek().is_some_and(Result::is_err);
            let placed = state.under_way.iter().rfind(|(_, placed)| !failed(placed));
            let placed = placed.map_or(0, |(number, _)| *number);
            state.last = Some(last.max(state.written).max(placed));
        }
    }

    /// The action of the turn `serial` has its place in the log.
    pub(super) fn placed(&self, number: u64, append: SharedAppend) {
        let mut state = self.state.lock();
        state.last = state.last.max(Some(number));
        state.under_way.insert(number, UnderWay { append, orphaned: false });
    }

    /// The turn whose commit was placed as `number` is gone: nobody else looks after it.
    pub(super) fn orphan(&self, number: u64) {
        let mut state = self.state.lock();
        if let Some(placed) = state.under_way.get_mut(&number) {
            placed.orphaned = true;
            state.forget_answered();
        }
    }

    /// The action `number` is not done now, and is expected again after `wait`.
    pub(super) fn put_off(&self, number: u64, kind: ActionKind, wait: Duration) {
        let mut state = self.state.lock();
        let at = Instant::now() + wait;
        if state.put_off.is_none_or(|off| number <= off.number) {
            state.put_off = Some(PutOff { number, kind, at });
        }
    }

    /// The turn `serial` is over, if it is not yet.
    pub(super) fn pass(&self, serial: u64) {
        let mut state = self.state.lock();
        if state.turn == Some(serial) {
            state.turn = None;
            state.wake_first();
        }
    }

    /// Takes a place back that another writer has taken, and the turn. `false` if a greater number has
    /// been placed meanwhile, or if it is not known which is the greatest.
    pub(super) fn retake(&self, serial: u64, number: u64, before: u64) -> bool {
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

    /// It is not known what became of an action: the log has to be asked.
    pub(super) fn forget(&self) {
        self.state.lock().forget();
    }
}

/// A place in a line, which is left when this is dropped.
pub(crate) struct Place {
    line: Arc<Line>,
    key: (u64, u64),
    wake: Arc<Notify>,
}

impl Place {
    pub(crate) fn step(&self, now: Instant) -> Step {
        self.line.state.lock().step(self.key.0, now)
    }

    pub(crate) async fn wait(&self, until: Option<Instant>) {
        let woken = self.wake.notified();
        match until {
            Some(until) => drop(tokio::time::timeout_at(until, woken).await),
            None => woken.await,
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut state = self.line.state.lock();
        state.waiting.remove(&self.key);
        state.wake_first();
    }
}
