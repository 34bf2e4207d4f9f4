//! The cached state of one stream, and the appends in flight on it.
//!
//! **Invariant:** only the holder of a stream state's lock decides on its stream in this process. The state
//! runs ahead of the disk by the appends in flight, so that many decisions share one sync. No
//! result is answered before it is durable.
//! **Invariant:** a failed append takes along everything that was decided on top of it. A state
//! with facts of a failed append is loaded again before it is used. Every answer from a state that
//! runs ahead waits for the append that it depends on.

use std::{
    collections::{HashMap, VecDeque, hash_map::Entry},
    sync::Arc,
};

use rookery_domain::{EventId, Fact, Room, RoomEvent};
use rookery_log::{
    AppendError, Appended, CommandId, Epoch, EventKey, EventLog, Guard, Position, Record, Revision,
    Scope, StreamId, is_last_page,
};
use rookery_work::SharedFuture;
use tokio::sync::Mutex;

use crate::{
    HandleError,
    stream::{
        aggregate::Aggregate,
        frozen::Frozen,
        snapshot::{Snapshot, Snapshots},
    },
};

/// How many records are read at once when a state is loaded.
const LOAD_PAGE: usize = 1_024;

/// An append that several callers may wait for.
pub(crate) use rookery_actions::SharedAppend;

/// Whether the append wrote its facts: it was not refused, not lost, and not a repeated command.
pub(crate) fn is_written(answer: &Result<Appended, AppendError>) -> bool {
    matches!(answer, Ok(Appended { repeated: false, .. }))
}

/// The state of one stream behind its lock; `None` until it is loaded, or after a failed append.
pub(crate) struct StreamState<A> {
    pub(crate) stream: StreamId,
    pub(crate) loaded: Mutex<Option<Loaded<A>>>,
}

impl<A> StreamState<A> {
    pub(crate) fn new(stream: StreamId) -> Self {
        Self { stream, loaded: Mutex::new(None) }
    }
}

/// A state, with the end of its stream and the appends in flight.
pub(crate) struct Loaded<A> {
    pub(crate) state: Option<A>,
    pub(crate) revision: Revision,
    /// The last event of the stream, which the next append builds on.
    pub(crate) last: Option<EventKey>,
    /// The last durable commit of the stream that is known here.
    pub(crate) position: Position,
    /// The revision of the last snapshot.
    pub(crate) snapshot_at: Revision,
    /// The last event of the stream that is known to be durable.
    durable: Option<EventKey>,
    in_flight: VecDeque<InFlight>,
    by_command: HashMap<CommandId, SharedAppend>,
    /// The last append that changes what can be read of the state.
    last_change: Option<SharedAppend>,
    /// Whether the state has facts of a failed append.
    failed: bool,
}

/// An append in flight.
struct InFlight {
    command: Option<CommandId>,
    append: SharedAppend,
    /// The last of its events.
    last: Option<EventKey>,
}

impl<A: Aggregate> Loaded<A> {
    /// Brings the state up to the durable end of its stream: from a snapshot, then from the log.
    pub(crate) async fn load(
        log: &dyn EventLog,
        snapshots: &Snapshots,
        stream: &StreamId,
    ) -> Result<Self, HandleError> {
        let mut loaded = Self {
            state: None,
            revision: Revision::EMPTY,
            last: None,
            position: Position::ORIGIN,
            snapshot_at: Revision::EMPTY,
            durable: None,
            in_flight: VecDeque::new(),
            by_command: HashMap::new(),
            last_change: None,
            failed: false,
        };
        if let Some(snapshot) = snapshots.load::<A::Frozen>(log, stream).await {
            loaded.state = A::thaw(snapshot.frozen);
            loaded.revision = snapshot.revision;
            loaded.position = snapshot.position;
            (loaded.last, loaded.durable) = (snapshot.last, snapshot.last);
            loaded.snapshot_at = snapshot.revision;
        }
        let scope = Scope::Stream(stream.clone());
        loop {
            let page = log.read(&scope, loaded.position, LOAD_PAGE).await?;
            for record in &page {
                for mut fact in read_facts::<A>(record)? {
                    if let Fact::Room(event) = &mut fact {
                        fetch_restated(log, record, event).await?;
                    }
                    loaded.state = A::apply(loaded.state.take(), &fact);
                }
                loaded.revision = record.revision;
                loaded.position = record.position;
            }
            if let Some(record) = page.last() {
                let last = record.commit.last_event();
                (loaded.last, loaded.durable) = (last, last);
            }
            if is_last_page(&page, LOAD_PAGE) {
                loaded.keep(log.epoch(), snapshots, stream);
                return Ok(loaded);
            }
        }
    }

    /// Writes a snapshot if one is due, so that the log need not be read again.
    fn keep(&mut self, epoch: Epoch, snapshots: &Snapshots, stream: &StreamId) {
        let Some(snapshot) = self.snapshot_due(snapshots) else { return };
        match snapshots.save(epoch, stream, &snapshot) {
            Ok(()) => self.snapshot_at = snapshot.revision,
            // The state is right nevertheless.
            Err(error) => tracing::warn!(%stream, %error, "cannot write a snapshot"),
        }
    }

    /// The parts of the state, which has to be durable, if a snapshot of it is due.
    pub(crate) fn snapshot_due(&self, snapshots: &Snapshots) -> Option<Snapshot<A::Frozen>> {
        let due = |parts| snapshots.due(self.snapshot_at, self.revision, parts);
        let state = self.state.as_ref().filter(|_| due(0))?;
        let frozen = state.freeze().filter(|frozen| due(frozen.parts()))?;
        let (revision, position, last) = (self.revision, self.position, self.last);
        Some(Snapshot { revision, position, last, frozen })
    }

    /// The condition of an append that was decided on this state.
    pub(crate) fn guard(&self) -> Guard {
        Guard { last: self.last }
    }

    /// Records an append of these facts, which ends with the event `last`, and folds them.
    pub(crate) fn append_started(
        &mut self,
        command: Option<CommandId>,
        append: &SharedAppend,
        facts: &[Fact],
        last: Option<EventKey>,
    ) {
        self.forget_answered();
        self.by_command.extend(command.map(|id| (id, append.clone())));
        self.in_flight.push_back(InFlight { command, append: append.clone(), last });
        if facts.iter().any(A::changes_what_is_read) {
            self.last_change = Some(append.clone());
        }
        self.fold(facts, last);
    }

    /// Folds the facts of an append that is durable.
    pub(crate) fn appended(&mut self, facts: &[Fact], last: Option<EventKey>, position: Position) {
        self.fold(facts, last);
        (self.durable, self.position) = (last, position);
    }

    fn fold(&mut self, facts: &[Fact], last: Option<EventKey>) {
        for fact in facts {
            self.state = A::apply(self.state.take(), fact);
        }
        self.revision = Revision(self.revision.0 + facts.len() as u64);
        self.last = last;
    }

    /// Whether the stream in the log, which ends with the event `last`, has no commit of another
    /// writer since the state was loaded.
    pub(crate) fn is_current(&self, last: Option<EventKey>) -> bool {
        self.durable == last || self.in_flight.iter().any(|under_way| under_way.last == last)
    }

    /// The append of `command`, if it is in flight.
    pub(crate) fn under_way(&self, command: CommandId) -> Option<SharedAppend> {
        self.by_command.get(&command).cloned()
    }

    /// The last append in flight: once it is durable, so is the state.
    pub(crate) fn last_under_way(&mut self) -> Option<SharedAppend> {
        self.forget_answered();
        self.in_flight.back().map(|under_way| under_way.append.clone())
    }

    /// The last append in flight that changes what can be read of the state. A read of the state
    /// holds once that append is durable, and never held if it fails.
    pub(crate) fn last_change_under_way(&mut self) -> Option<SharedAppend> {
        self.forget_answered();
        self.last_change.clone()
    }

    /// Whether the state has facts of an append that is known to have failed. Such a state must not
    /// be used.
    pub(crate) fn has_failed(&mut self) -> bool {
        self.forget_answered();
        let last = self.in_flight.back().and_then(|under_way| under_way.append.peek());
        self.failed || last.is_some_and(|answer| !is_written(answer))
    }

    /// Whether `append` is one of those in flight.
    pub(crate) fn waits_for(&self, append: &SharedAppend) -> bool {
        self.in_flight.iter().any(|under_way| under_way.append.is_same(append))
    }

    fn forget_answered(&mut self) {
        if let Some(answer) = self.last_change.as_ref().and_then(SharedFuture::peek) {
            self.failed |= !is_written(answer);
            self.last_change = None;
        }
        while let Some(InFlight { command, append, last }) = self.in_flight.front() {
            let Some(answer) = append.now() else { break };
            self.failed |= !is_written(&answer);
            if let Ok(appended) = answer {
                self.position = self.position.max(appended.position);
                self.durable = *last;
            }
            if let Some(command) = command {
                self.by_command.remove(command);
            }
            self.in_flight.pop_front();
        }
    }
}

/// Fetches the other events that hold slots because of `event`.
async fn fetch_restated(
    log: &dyn EventLog,
    record: &Arc<Record>,
    event: &mut RoomEvent,
) -> Result<(), HandleError> {
    let mut restated = Vec::new();
    // A join names thousands of holders in a few commits.
    let mut read: HashMap<Option<u64>, Vec<Fact>> = HashMap::new();
    for holder in event.restated_holders() {
        if let Entry::Vacant(entry) = read.entry(holder.position) {
            let found = match holder.position.map(Position) {
                Some(position) => log.get(&[position]).await?.into_iter().next(),
                None => Some(Arc::clone(record)),
            };
            let facts = found.map(|found| read_facts::<Room>(&found)).transpose()?;
            entry.insert(facts.unwrap_or_default());
        }
        let facts = read.get(&holder.position);
        let fact = facts.and_then(|facts| facts.get(usize::from(holder.index)));
        if let Some(Fact::Room(held)) = fact.filter(|fact| is_event(fact, &holder.event_id)) {
            restated.push(Arc::clone(&held.pdu));
        }
    }
    event.restated = restated;
    Ok(())
}

fn is_event(fact: &Fact, event_id: &EventId) -> bool {
    matches!(fact, Fact::Room(event) if event.pdu.event_id == *event_id)
}

/// The facts of a record of a stream that `A` is folded from.
pub(crate) fn read_facts<A: Aggregate>(record: &Record) -> Result<Vec<Fact>, HandleError> {
    record
        .commit
        .events
        .iter()
        .map(|event| Fact::read(A::SUBJECT, &event.id, &event.envelope, &event.content))
        .collect::<Result<_, _>>()
        .map_err(|error| HandleError::unreadable(record.position, &error))
}
