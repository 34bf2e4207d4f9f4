//! Load, decide, append: the way of every command, whatever it is about.

use std::sync::Arc;

use futures_util::FutureExt;
use rookery_domain::{Envelope, Fact};
use rookery_log::{
    AppendError, Appended, CommandId, Commit, EventLog, Guard, LoggedEvent, Millis, Position,
    Record, Revision, StreamId,
};

use crate::{
    HandleError,
    actions::Turn,
    aggregate::Aggregate,
    cache::Cache,
    cell::{Cell, Loaded, SharedAppend, read_facts},
    erase::Eraser,
    snapshot::Snapshots,
};

/// How often a command is decided before its caller is told that the stream is too busy.
pub(crate) const ATTEMPTS_MAX: u32 = 3;

/// One command, as far as the generic part has to know it.
pub(crate) struct Request {
    /// Names the command, if it may be retried.
    pub(crate) command: Option<CommandId>,
    /// When it came in.
    pub(crate) received: Millis,
    /// The envelope of the events that it makes in rooms.
    pub(crate) envelope: Envelope,
    /// Its turn, if it is a numbered action.
    pub(crate) turn: Option<Turn>,
}

/// What a command led to.
#[derive(Debug)]
pub(crate) struct Handled {
    /// The commit, or where the stream ended if nothing had to be done.
    pub(crate) position: Position,
    /// The facts of the commit; empty if what was asked for held already.
    pub(crate) facts: Vec<Fact>,
    /// The sequence number of the first of them.
    pub(crate) first_sequence: u64,
    /// The command had been carried out before, when it came in at this time.
    pub(crate) repeated: Option<Millis>,
}

/// Everything that commands share.
pub(crate) struct Core {
    pub(crate) log: Arc<dyn EventLog>,
    pub(crate) snapshots: Snapshots,
    pub(crate) eraser: Eraser,
}

/// What the decision under the lock came to: all but the wait for the disk.
pub(crate) enum Decided {
    /// Wait for this append, which carries these facts.
    Append(SharedAppend, Vec<Fact>),
    /// The same command is already on its way.
    UnderWay(SharedAppend),
    /// It was carried out before, in this commit.
    Before(Position),
    /// It holds already, as of this append or position.
    Holds(Option<SharedAppend>, Position),
}

impl Core {
    /// Carries out one command on the stream of `cell`.
    pub(crate) async fn handle<A: Aggregate>(
        &self,
        cache: &Cache<A>,
        cell: &Cell<A>,
        request: &Request,
        decide: impl Fn(Option<&A>) -> Result<Vec<Fact>, HandleError> + Send,
    ) -> Result<Handled, HandleError> {
        for _ in 0..ATTEMPTS_MAX {
            let decided = self.decide(cache, cell, request, &decide).await?;
            if let Some(handled) = self.settle(cell, decided).await? {
                return Ok(handled);
            }
        }
        Err(HandleError::Contended { attempts: ATTEMPTS_MAX })
    }

    /// Waits until what was decided is durable; `None` if another writer came first.
    pub(crate) async fn settle<A: Aggregate>(
        &self,
        cell: &Cell<A>,
        decided: Decided,
    ) -> Result<Option<Handled>, HandleError> {
        let (append, facts) = match decided {
            Decided::Before(position) => return self.first_result(cell, position).await.map(Some),
            Decided::Holds(None, position) => return Ok(Some(Handled::nothing(position))),
            Decided::Holds(Some(append), before) => {
                let appended = append.await.ok();
                return Ok(appended.map(|last| Handled::nothing(last.position.max(before))));
            }
            Decided::UnderWay(append) => (append, None),
            Decided::Append(append, facts) => (append, Some(facts)),
        };
        match (append.await, facts) {
            (Ok(Appended { position, repeated: false, revision }), Some(facts)) => {
                Ok(Some(Handled::appended(position, revision, facts)))
            }
            (Ok(Appended { position, .. }), facts) => {
                if facts.is_some() {
                    // The state here holds facts that were never written.
                    *cell.loaded.lock().await = None;
                }
                self.first_result(cell, position).await.map(Some)
            }
            (Err(error), _) => self.lost(cell, error).await.map(|()| None),
        }
    }

    /// Under the lock of the cell: finds an earlier result, or decides and starts the append.
    pub(crate) async fn decide<A: Aggregate>(
        &self,
        cache: &Cache<A>,
        cell: &Cell<A>,
        request: &Request,
        decide: &(impl Fn(Option<&A>) -> Result<Vec<Fact>, HandleError> + Send),
    ) -> Result<Decided, HandleError> {
        let mut slot = cell.loaded.lock().await;
        if let Some(turn) = &request.turn {
            // It was not carried out before: the order of actions has looked.
            turn.begin()?;
        } else if let Some(command) = request.command {
            if let Some(append) = slot.as_ref().and_then(|loaded| loaded.under_way(command)) {
                return Ok(Decided::UnderWay(append));
            }
            if let Some(position) = self.log.find(command).await? {
                return Ok(Decided::Before(position));
            }
        }
        if slot.is_none() {
            *slot = Some(Loaded::load(&*self.log, &self.snapshots, &cell.stream).await?);
        }
        let Some(loaded) = slot.as_mut() else { unreachable!("it was loaded above") };
        let facts = decide(loaded.state.as_ref())?;
        if facts.is_empty() {
            return Ok(Decided::Holds(loaded.last_under_way(), loaded.position));
        }
        let commit = request.commit(&cell.stream, &facts)?;
        let guard = Guard { at: loaded.revision };
        let append = self.eraser.appending(&facts, commit, guard).shared();
        request.started(&append);
        loaded.append_started(request.command, append.clone());
        loaded.revision = Revision(loaded.revision.0 + facts.len() as u64);
        for fact in &facts {
            loaded.state = A::apply(loaded.state.take(), fact);
        }
        cache.weigh(&cell.stream, loaded.state.as_ref().map_or(0, A::weight_bytes));
        Ok(Decided::Append(append, facts))
    }

    /// Brings the state of `cell` up to date and hands it to `look`.
    pub(crate) async fn look<A: Aggregate, T>(
        &self,
        cache: &Cache<A>,
        cell: &Cell<A>,
        look: impl FnOnce(Option<&A>) -> T,
    ) -> Result<T, HandleError> {
        let mut slot = cell.loaded.lock().await;
        if slot.is_none() {
            *slot = Some(Loaded::load(&*self.log, &self.snapshots, &cell.stream).await?);
        }
        let state = slot.as_ref().and_then(|loaded| loaded.state.as_ref());
        cache.weigh(&cell.stream, state.map_or(0, A::weight_bytes));
        Ok(look(state))
    }

    /// After a failed append the state here is ahead of the log: forget it. A lost race may be
    /// tried again; anything else ends the command.
    async fn lost<A>(&self, cell: &Cell<A>, error: AppendError) -> Result<(), HandleError> {
        *cell.loaded.lock().await = None;
        match error {
            AppendError::Conflict { .. } => Ok(()),
            AppendError::Unfit => Err(HandleError::TooLarge),
            AppendError::Unavailable(unavailable) => Err(unavailable.into()),
        }
    }

    /// Reads back what a command did when it was carried out first.
    async fn first_result<A: Aggregate>(
        &self,
        cell: &Cell<A>,
        position: Position,
    ) -> Result<Handled, HandleError> {
        let handled = self.result_at::<A>(position).await?;
        match handled {
            Some((stream, handled)) if stream == cell.stream => Ok(handled),
            Some(_) | None => Err(HandleError::ActionIdReused),
        }
    }

    /// The stream and the facts of the commit at `position`; `None` if it is no stream of `A`.
    pub(crate) async fn result_at<A: Aggregate>(
        &self,
        position: Position,
    ) -> Result<Option<(StreamId, Handled)>, HandleError> {
        let records = self.log.get(&[position]).await?;
        let of_kind = |record: &&Arc<Record>| {
            record.commit.stream.split().is_some_and(|(kind, _)| kind == A::KIND)
        };
        let Some(record) = records.first().filter(of_kind) else { return Ok(None) };
        let handled = Handled {
            position,
            facts: read_facts::<A>(record)?,
            first_sequence: record.sequence(0),
            repeated: Some(record.commit.received),
        };
        Ok(Some((record.commit.stream.clone(), handled)))
    }
}

impl Request {
    /// The commit of what this command makes in `stream`.
    pub(crate) fn commit(&self, stream: &StreamId, facts: &[Fact]) -> Result<Commit, HandleError> {
        let commit = Commit {
            stream: stream.clone(),
            command: self.command,
            received: self.received,
            events: facts.iter().map(logged).collect::<Result<_, _>>()?,
        };
        if commit.fits() { Ok(commit) } else { Err(HandleError::TooLarge) }
    }

    /// The commit of this command is on its way.
    pub(crate) fn started(&self, append: &SharedAppend) {
        if let Some(turn) = &self.turn {
            turn.place(append);
        }
    }
}

impl Handled {
    fn nothing(position: Position) -> Self {
        Self { position, facts: Vec::new(), first_sequence: 0, repeated: None }
    }

    fn appended(position: Position, revision: Revision, facts: Vec<Fact>) -> Self {
        let first_sequence = revision.0 + 1 - facts.len() as u64;
        Self { position, facts, first_sequence, repeated: None }
    }
}

/// What the log keeps of a fact.
pub(crate) fn logged(fact: &Fact) -> Result<LoggedEvent, HandleError> {
    let salt = match fact {
        Fact::Room(_) => [0; 16],
        Fact::Account(_) | Fact::Alias(_) => random()?,
    };
    let stored = fact.store(salt);
    Ok(LoggedEvent { id: stored.id, envelope: stored.envelope, content: stored.content })
}

/// Sixteen random bytes.
pub(crate) fn random() -> Result<[u8; 16], HandleError> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|error| {
        let reason = format!("the operating system gives no randomness: {error}").into();
        HandleError::Unavailable(rookery_log::Unavailable { reason })
    })?;
    Ok(bytes)
}
