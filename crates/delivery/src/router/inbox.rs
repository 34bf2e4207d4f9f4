//! The inbox of one subscriber.
//!
//! **Invariant:** entries are in order, and bounded. When there are too many, all of them are
//! dropped, and only the position to continue from is left.

use std::collections::VecDeque;

use parking_lot::Mutex;
use rookery_domain::Membership;
use rookery_log::Position;
use tokio::sync::Notify;

/// A waiting commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct WaitingCommit {
    pub(super) position: Position,
    /// See [`Delivery::before`](crate::Delivery::before).
    pub(super) before: Membership,
    /// See [`Delivery::plain`](crate::Delivery::plain).
    pub(super) plain: bool,
}

/// The result of a push.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pushed {
    /// It waits, and it is the first: wake the subscriber.
    First,
    /// It waits behind others.
    Behind,
    /// It was dropped: the inbox is closed, and its subscriber knows.
    Closed,
    /// The inbox was full: the subscriber is behind from now on. Wake it.
    Overflowed,
}

/// The next entry for a subscriber.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Waiting {
    Nothing,
    WaitingCommit(WaitingCommit),
    /// The inbox is closed. All entries up to this position were taken; the rest comes from the
    /// log.
    ReadOn(Position),
}

#[derive(Default)]
struct State {
    entries: VecDeque<WaitingCommit>,
    /// Set once the inbox is closed.
    read_on: Option<Position>,
}

/// The inbox of one subscriber on the live side.
#[derive(Default)]
pub(super) struct Inbox {
    state: Mutex<State>,
    bell: Notify,
}

impl Inbox {
    pub(super) fn new(entries: impl IntoIterator<Item = WaitingCommit>) -> Self {
        let state = State { entries: entries.into_iter().collect(), read_on: None };
        Self { state: Mutex::new(state), bell: Notify::new() }
    }

    pub(super) fn push(&self, entry: WaitingCommit, entries_max: usize) -> Pushed {
        let mut state = self.state.lock();
        if state.read_on.is_some() {
            return Pushed::Closed;
        }
        if state.entries.len() >= entries_max {
            let first = state.entries.front().map_or(entry.position, |first| first.position);
            state.close(Position(first.0.saturating_sub(1)));
            return Pushed::Overflowed;
        }
        state.entries.push_back(entry);
        if state.entries.len() == 1 { Pushed::First } else { Pushed::Behind }
    }

    /// Closes the inbox. All commits up to `routed` that concern its subscriber were pushed.
    pub(super) fn close(&self, routed: Position) {
        let mut state = self.state.lock();
        let first = state.entries.front();
        let read_on = first.map_or(routed, |first| Position(first.position.0.saturating_sub(1)));
        state.close(read_on);
    }

    pub(super) fn first(&self) -> Waiting {
        let state = self.state.lock();
        match (state.read_on, state.entries.front()) {
            (Some(position), _) => Waiting::ReadOn(position),
            (None, Some(entry)) => Waiting::WaitingCommit(*entry),
            (None, None) => Waiting::Nothing,
        }
    }

    /// Removes the entry that [`Self::first`] returned.
    pub(super) fn remove(&self, position: Position) {
        let mut state = self.state.lock();
        if state.entries.front().is_some_and(|first| first.position == position) {
            state.entries.pop_front();
        }
        if state.entries.is_empty() {
            state.entries = VecDeque::new();
        }
    }

    pub(super) fn ring(&self) {
        self.bell.notify_one();
    }

    /// Waits for a wake-up. A wake-up before the call counts.
    pub(super) async fn rung(&self) {
        self.bell.notified().await;
    }
}

impl State {
    fn close(&mut self, read_on: Position) {
        self.entries = VecDeque::new();
        self.read_on.get_or_insert(read_on);
    }
}
