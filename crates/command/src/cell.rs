//! The cached state of one stream, and the appends that are under way on it.
//!
//! **Invariant:** who holds the lock of a cell is the only one in this process who decides on its
//! stream. The state runs ahead of the disk by the appends under way, so that many decisions share
//! one sync; nobody is told of a result before it is durable.

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
};

use futures_util::{FutureExt, future::Shared};
use rookery_domain::{EventId, Fact, Room, RoomEvent};
use rookery_log::{
    Appending, CommandId, Epoch, EventLog, Position, Record, Revision, Scope, StreamId,
};
use tokio::sync::Mutex;

use crate::{
    HandleError,
    aggregate::Aggregate,
    snapshot::{Snapshot, Snapshots},
};

/// How many records are read at once when a state is loaded.
const LOAD_PAGE: usize = 1_024;

/// An append that several may wait for.
pub(crate) type SharedAppend = Shared<Appending>;

/// The state of one stream behind its lock; `None` until it is loaded, or after a lost race.
pub(crate) struct Cell<A> {
    pub(crate) stream: StreamId,
    pub(crate) loaded: Mutex<Option<Loaded<A>>>,
}

impl<A> Cell<A> {
    pub(crate) fn new(stream: StreamId) -> Self {
        Self { stream, loaded: Mutex::new(None) }
    }
}

/// A state, where its stream ends, and what is on its way to the log.
pub(crate) struct Loaded<A> {
    pub(crate) state: Option<A>,
    pub(crate) revision: Revision,
    /// The last durable commit of the stream that is known here.
    pub(crate) position: Position,
    /// The revision up to which a snapshot has been written.
    pub(crate) snapshot_at: Revision,
    in_flight: VecDeque<(Option<CommandId>, SharedAppend)>,
    by_command: HashMap<CommandId, SharedAppend>,
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
            position: Position::ORIGIN,
            snapshot_at: Revision::EMPTY,
            in_flight: VecDeque::new(),
            by_command: HashMap::new(),
        };
        if let Some(snapshot) = snapshots.load(log, stream).await {
            loaded.state = A::thaw(snapshot.frozen);
            loaded.revision = snapshot.revision;
            loaded.position = snapshot.position;
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
            if page.len() < LOAD_PAGE {
                loaded.keep(log.epoch(), snapshots, stream);
                return Ok(loaded);
            }
        }
    }

    /// Writes a snapshot if one is due, so that what was read of the log now is not read again.
    fn keep(&mut self, epoch: Epoch, snapshots: &Snapshots, stream: &StreamId) {
        let Some(snapshot) = self.snapshot_due(snapshots) else { return };
        match snapshots.save(epoch, stream, &snapshot) {
            Ok(()) => self.snapshot_at = snapshot.revision,
            // The state is right nevertheless.
            Err(error) => tracing::warn!(%stream, %error, "cannot write a snapshot"),
        }
    }

    /// The parts of the state, which has to be durable, if a snapshot of it is due.
    pub(crate) fn snapshot_due(&self, snapshots: &Snapshots) -> Option<Snapshot> {
        let due = |facts| snapshots.due(self.snapshot_at, self.revision, facts);
        let state = self.state.as_ref().filter(|_| due(0))?;
        let frozen = state.freeze().filter(|frozen| due(frozen.facts.len()))?;
        Some(Snapshot { revision: self.revision, position: self.position, frozen })
    }

    /// Notes an append whose facts are about to be folded.
    pub(crate) fn append_started(&mut self, command: Option<CommandId>, append: SharedAppend) {
        self.forget_answered();
        self.by_command.extend(command.map(|id| (id, append.clone())));
        self.in_flight.push_back((command, append));
    }

    /// The append of `command`, if it is under way.
    pub(crate) fn under_way(&self, command: CommandId) -> Option<SharedAppend> {
        self.by_command.get(&command).cloned()
    }

    /// The last append under way: once it is durable, so is the state.
    pub(crate) fn last_under_way(&mut self) -> Option<SharedAppend> {
        self.forget_answered();
        self.in_flight.back().map(|(_, append)| append.clone())
    }

    fn forget_answered(&mut self) {
        while let Some((command, append)) = self.in_flight.front() {
            let Some(answer) = append.clone().now_or_never() else { break };
            if let Ok(appended) = answer {
                self.position = self.position.max(appended.position);
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
    for holder in event.restated_holders() {
        let found = match holder.position.map(Position) {
            Some(position) => log.get(&[position]).await?.into_iter().next(),
            None => Some(Arc::clone(record)),
        };
        let Some(found) = found else { continue };
        let fact = read_facts::<Room>(&found)?.into_iter().nth(usize::from(holder.index));
        if let Some(Fact::Room(held)) = fact.filter(|fact| is_event(fact, &holder.event_id)) {
            restated.push(held.pdu);
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
