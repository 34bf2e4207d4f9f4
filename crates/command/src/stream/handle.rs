//! Load, decide, append: the path of every command.

use std::sync::Arc;

use rookery_domain::{Envelope, Fact};
use rookery_log::{
    AppendError, Appended, CommandId, Commit, ErasableLog, EventKey, Guard, LoggedEvent, Millis,
    Position, Record, Revision, StreamId,
};
use rookery_work::SharedFuture;
use tokio::sync::MutexGuard;

use crate::{
    HandleError,
    actions::ActionTurn,
    process::erase::Eraser,
    stream::{
        aggregate::Aggregate,
        cache::Cache,
        snapshot::Snapshots,
        state::{Loaded, SharedAppend, StreamState, read_facts},
    },
};

/// How often a command is decided before it fails because the stream is too busy.
pub(crate) const ATTEMPTS_MAX: u32 = 3;

/// One command, as the generic part sees it.
pub(crate) struct Request {
    /// The ID of the command, if it may be retried.
    pub(crate) command: Option<CommandId>,
    /// When it arrived.
    pub(crate) received: Millis,
    /// The envelope of the events that it makes in rooms.
    pub(crate) envelope: Envelope,
    /// Its turn, if it is a numbered action.
    pub(crate) turn: Option<ActionTurn>,
}

/// The result of a command.
#[derive(Debug)]
pub(crate) struct Handled {
    /// The position of the commit, or of the end of the stream if the command changed nothing.
    pub(crate) position: Position,
    /// The facts of the commit; empty if the command changed nothing.
    pub(crate) facts: Vec<Fact>,
    /// The sequence number of the first of them.
    pub(crate) first_sequence: u64,
    /// The time of the first request, if the command was carried out before.
    pub(crate) repeated: Option<Millis>,
}

/// The state that all commands share.
pub(crate) struct Core {
    pub(crate) log: Arc<dyn ErasableLog>,
    pub(crate) snapshots: Snapshots,
    pub(crate) eraser: Eraser,
}

/// The result of the decision under the lock, before the wait for the disk.
pub(crate) enum Decided {
    /// Wait for this append, which carries these facts.
    Append(SharedAppend, Vec<Fact>),
    /// The same command is in flight.
    UnderWay(SharedAppend),
    /// It was carried out before, in this commit.
    Before(Position),
    /// The command changes nothing, as of this append or position.
    Holds(Option<SharedAppend>, Position),
    /// The command is refused because of a state that holds once this append is durable.
    Refused(SharedAppend, HandleError),
}

impl Core {
    /// Carries out one command on the stream of `stream_state`.
    pub(crate) async fn handle<A: Aggregate>(
        &self,
        cache: &Cache<A>,
        stream_state: &StreamState<A>,
        request: &Request,
        decide: impl Fn(Option<&A>) -> Result<Vec<Fact>, HandleError> + Send,
    ) -> Result<Handled, HandleError> {
        for _ in 0..ATTEMPTS_MAX {
            let decided = self.decide(cache, stream_state, request, &decide).await?;
            if let Some(handled) = self.settle(stream_state, request, decided).await? {
                return Ok(handled);
            }
        }
        Err(HandleError::Contended { attempts: ATTEMPTS_MAX })
    }

    /// Waits until the decision is durable; `None` if another writer came first.
    pub(crate) async fn settle<A: Aggregate>(
        &self,
        stream_state: &StreamState<A>,
        request: &Request,
        decided: Decided,
    ) -> Result<Option<Handled>, HandleError> {
        let (append, facts) = match decided {
            Decided::Before(position) => {
                return self.first_result(stream_state, request, position).await.map(Some);
            }
            Decided::Holds(None, position) => return Ok(Some(Handled::nothing(position))),
            Decided::Holds(Some(append), before) => {
                return match append.clone().await {
                    Ok(Appended { position, repeated: false, .. }) => {
                        Ok(Some(Handled::nothing(position.max(before))))
                    }
                    failed => self.lost(stream_state, &append, failed.err()).await.map(|()| None),
                };
            }
            Decided::Refused(append, refusal) => {
                return match append.clone().await {
                    Ok(Appended { repeated: false, .. }) => Err(refusal),
                    failed => self.lost(stream_state, &append, failed.err()).await.map(|()| None),
                };
            }
            Decided::UnderWay(append) => (append, None),
            Decided::Append(append, facts) => (append, Some(facts)),
        };
        match (append.clone().await, facts) {
            (Ok(Appended { position, repeated: false, revision }), Some(facts)) => {
                Ok(Some(Handled::appended(position, revision, facts)))
            }
            (Ok(Appended { position, .. }), facts) => {
                if facts.is_some() {
                    self.lost(stream_state, &append, None).await?;
                }
                self.first_result(stream_state, request, position).await.map(Some)
            }
            (Err(error), _) => self.lost(stream_state, &append, Some(error)).await.map(|()| None),
        }
    }

    /// Under the lock of the stream state: finds an earlier result, or decides and starts the append.
    #[expect(
        clippy::await_holding_invalid_type,
        reason = "mutations and processes run in tasks of their own"
    )]
    pub(crate) async fn decide<A: Aggregate>(
        &self,
        cache: &Cache<A>,
        stream_state: &StreamState<A>,
        request: &Request,
        decide: &(impl Fn(Option<&A>) -> Result<Vec<Fact>, HandleError> + Send),
    ) -> Result<Decided, HandleError> {
        if let Some(backlog) = self.log.backlog() {
            backlog.await;
        }
        let mut slot = stream_state.loaded.lock().await;
        forget_failed(&mut slot);
        if let Some(turn) = &request.turn {
            // It was not carried out before: the order of actions has checked that.
            turn.begin()?;
        } else if let Some(command) = request.command {
            if let Some(append) = slot.as_ref().and_then(|loaded| loaded.under_way(command)) {
                return Ok(Decided::UnderWay(append));
            }
            if let Some(position) = self.log.find(command).await? {
                return Ok(Decided::Before(position));
            }
        }
        let mut loaded = self.loaded(stream_state, &mut slot).await?;
        let mut decision = decide(loaded.state.as_ref());
        if decision.as_ref().is_ok_and(Vec::is_empty) || decision.is_err() {
            // A command without events has no guard.
            if !self.is_current(stream_state, loaded).await? {
                slot = without(slot);
                loaded = self.loaded(stream_state, &mut slot).await?;
                decision = decide(loaded.state.as_ref());
            }
        }
        let facts = match decision {
            Ok(facts) if facts.is_empty() => {
                return Ok(Decided::Holds(loaded.last_under_way(), loaded.position));
            }
            Ok(facts) => facts,
            Err(refusal) => {
                return match loaded.last_change_under_way() {
                    Some(append) => Ok(Decided::Refused(append, refusal)),
                    None => Err(refusal),
                };
            }
        };
        let (append, last) = self.append(&stream_state.stream, request, &facts, loaded.guard())?;
        loaded.append_started(request.command, &append, &facts, last);
        cache.weigh(&stream_state.stream, loaded.state.as_ref().map_or(0, A::weight_bytes));
        Ok(Decided::Append(append, facts))
    }

    /// Starts the append of decided facts, and ends the turn of the action. Returns the append
    /// and the key of the last event of its commit.
    pub(crate) fn append(
        &self,
        stream: &StreamId,
        request: &Request,
        facts: &[Fact],
        guard: Guard,
    ) -> Result<(SharedAppend, Option<EventKey>), HandleError> {
        let commit = request.commit(stream, facts)?;
        let last = commit.last_event();
        let append = SharedFuture::new(self.eraser.appending(facts, commit, guard));
        if let Some(turn) = &request.turn {
            turn.place(&append);
        }
        Ok((append, last))
    }

    /// Brings the state of `stream_state` up to date and passes it to `look`. The result is durable.
    ///
    /// # Errors
    /// [`HandleError`] if the log cannot be read, or if the state could not be written.
    #[expect(
        clippy::await_holding_invalid_type,
        reason = "mutations and processes run in tasks of their own"
    )]
    pub(crate) async fn read_state<A: Aggregate, T>(
        &self,
        cache: &Cache<A>,
        stream_state: &StreamState<A>,
        look: impl Fn(Option<&A>) -> T,
    ) -> Result<T, HandleError> {
        for _ in 0..ATTEMPTS_MAX {
            let (seen, append) = {
                let mut slot = stream_state.loaded.lock().await;
                let mut loaded = self.loaded(stream_state, &mut slot).await?;
                if !self.is_current(stream_state, loaded).await? {
                    slot = without(slot);
                    loaded = self.loaded(stream_state, &mut slot).await?;
                }
                let append = loaded.last_change_under_way();
                let state = loaded.state.as_ref();
                cache.weigh(&stream_state.stream, state.map_or(0, A::weight_bytes));
                (look(state), append)
            };
            let Some(append) = append else { return Ok(seen) };
            match append.clone().await {
                Ok(Appended { repeated: false, .. }) => return Ok(seen),
                // Only the writes are lost: without them the log can be read.
                _ => self.forget(stream_state, &append).await,
            }
        }
        Err(HandleError::Contended { attempts: ATTEMPTS_MAX })
    }

    /// The state in `slot`. It is loaded if there is none, or if the present one has facts that
    /// were never written.
    async fn loaded<'a, A: Aggregate>(
        &self,
        stream_state: &StreamState<A>,
        slot: &'a mut Option<Loaded<A>>,
    ) -> Result<&'a mut Loaded<A>, HandleError> {
        forget_failed(slot);
        if slot.is_none() {
            *slot = Some(Loaded::load(&*self.log, &self.snapshots, &stream_state.stream).await?);
        }
        let Some(loaded) = slot.as_mut() else { unreachable!("it was loaded above") };
        Ok(loaded)
    }

    /// Whether a read of the state agrees with the log, or will agree once the last change in
    /// flight is durable: the guard of that change fails if another writer was faster.
    async fn is_current<A: Aggregate>(
        &self,
        stream_state: &StreamState<A>,
        loaded: &mut Loaded<A>,
    ) -> Result<bool, HandleError> {
        if loaded.last_change_under_way().is_some() {
            return Ok(true);
        }
        let head = self.log.head(&stream_state.stream).await?;
        Ok(loaded.is_current(head.last))
    }

    /// After a failed append the state here is ahead of the log, so it is cleared. A lost race may
    /// be tried again; any other failure ends the command.
    async fn lost<A: Aggregate>(
        &self,
        stream_state: &StreamState<A>,
        append: &SharedAppend,
        error: Option<AppendError>,
    ) -> Result<(), HandleError> {
        self.forget(stream_state, append).await;
        match error {
            None | Some(AppendError::Conflict { .. }) => Ok(()),
            Some(AppendError::Unfit) => Err(HandleError::TooLarge),
            Some(AppendError::Unavailable(unavailable)) => Err(unavailable.into()),
        }
    }

    /// Clears the state of `stream_state` if it has facts of `append`, which failed.
    async fn forget<A: Aggregate>(&self, stream_state: &StreamState<A>, append: &SharedAppend) {
        let mut slot = stream_state.loaded.lock().await;
        if slot.as_ref().is_some_and(|loaded| loaded.waits_for(append)) {
            *slot = None;
        }
        forget_failed(&mut slot);
    }

    /// Reads the first result of a command from the log.
    async fn first_result<A: Aggregate>(
        &self,
        stream_state: &StreamState<A>,
        request: &Request,
        position: Position,
    ) -> Result<Handled, HandleError> {
        let found = self.result_at::<A>(position).await?;
        let own = |(stream, handled): &(StreamId, Handled)| {
            *stream == stream_state.stream && request.has_made(&handled.facts)
        };
        let (_, handled) = found.filter(own).ok_or(HandleError::ActionIdReused)?;
        Ok(handled)
    }

    /// The stream and the facts of the commit at `position`; `None` if it is not a stream of `A`.
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

/// The slot without its state.
fn without<A>(mut slot: MutexGuard<'_, Option<Loaded<A>>>) -> MutexGuard<'_, Option<Loaded<A>>> {
    *slot = None;
    slot
}

/// Clears a state with facts of a failed append.
pub(crate) fn forget_failed<A: Aggregate>(slot: &mut Option<Loaded<A>>) {
    if slot.as_mut().is_some_and(Loaded::has_failed) {
        *slot = None;
    }
}

impl Request {
    /// The commit of this command's facts in `stream`.
    pub(crate) fn commit(&self, stream: &StreamId, facts: &[Fact]) -> Result<Commit, HandleError> {
        let commit = Commit {
            stream: stream.clone(),
            command: self.command,
            received: self.received,
            events: facts.iter().map(logged).collect::<Result<_, _>>()?,
        };
        if commit.fits() { Ok(commit) } else { Err(HandleError::TooLarge) }
    }
}

impl Handled {
    pub(crate) fn nothing(position: Position) -> Self {
        Self { position, facts: Vec::new(), first_sequence: 0, repeated: None }
    }

    fn appended(position: Position, revision: Revision, facts: Vec<Fact>) -> Self {
        let first_sequence = revision.0 + 1 - facts.len() as u64;
        Self { position, facts, first_sequence, repeated: None }
    }
}

/// The stored form of a fact.
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
    #[cfg(any(test, feature = "testing"))]
    if let Some(bytes) = crate::testing::seeded_bytes() {
        return Ok(bytes);
    }
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|error| {
        let reason = format!("the operating system gives no randomness: {error}").into();
        HandleError::Unavailable(rookery_log::Unavailable { reason })
    })?;
    Ok(bytes)
}
