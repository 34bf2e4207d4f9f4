//! The writer thread: takes the queued jobs, stores them with one sync, and answers them.
//!
//! **Invariant:** positions are given out in the order in which appends were started.
//! **Invariant:** an answer that depends on a commit of the group waits for the group's sync.
//! **Invariant:** after an error nothing more is written, and no sync is tried again, until the log
//! was checked and opened again ([`recovery`]).

pub(crate) mod recent;

use std::{
    path::PathBuf,
    sync::{
        Arc,
        mpsc::{Receiver, RecvTimeoutError},
    },
    time::{Duration, Instant},
};

use rookery_log::{
    AppendError, Appended, CommandId, Commit, Guard, Position, ReadError, Record, Revision,
    StreamId, Unavailable,
};

use crate::{
    ImportError, SledOptions,
    engine::store::{Store, StoreError},
    files::{
        anchor::{self, Mark},
        head, stopped,
    },
    format::{Draft, Sealed},
    log::Shared,
    open::recover::End,
};

mod erase;
mod group;
mod heads;
mod job;
mod recovery;
mod reply;
mod space;

use self::{
    group::Group,
    heads::{Heads, StreamEnd},
    recovery::Recovery,
    space::Allowance,
};
pub(crate) use self::{
    job::Job,
    reply::{InFlight, Reply},
};

/// The anchor is written after this long without appends ...
const IDLE: Duration = Duration::from_secs(1);
/// ... and this long after the first commit that it does not cover.
const ANCHOR_AGE_MAX: Duration = Duration::from_secs(5);

/// The state of the writer thread.
pub(crate) struct Writer {
    shared: Arc<Shared>,
    /// The open engine; `None` only while the log has stopped.
    store: Option<Arc<Store>>,
    dir: PathBuf,
    options: SledOptions,
    head_file: head::Writer,
    heads: Heads,
    /// The last record put into the engine.
    end: End,
    /// The end of the log on stable storage.
    durable: Position,
    /// Bytes put into the engine since the last sync.
    unsynced: usize,
    /// Since when there are commits that the anchor does not cover.
    unanchored: Option<Instant>,
    /// How much may be written before the next check of the free space.
    allowance: Allowance,
    recovery: Recovery,
}

impl Writer {
    pub(crate) fn new(
        shared: Arc<Shared>,
        store: Arc<Store>,
        dir: PathBuf,
        options: SledOptions,
        head_file: head::Writer,
        end: End,
    ) -> Self {
        Self {
            shared,
            store: Some(store),
            dir,
            options,
            head_file,
            heads: Heads::default(),
            end,
            durable: end.position,
            unsynced: 0,
            unanchored: Some(Instant::now()),
            allowance: Allowance::default(),
            recovery: Recovery::default(),
        }
    }

    /// Works until the log is closed.
    pub(crate) fn run(mut self, jobs: &Receiver<Job>) {
        let mut open = true;
        self.look_at_disk();
        while open {
            let first = match jobs.recv_timeout(self.patience()) {
                Ok(job) => job,
                Err(RecvTimeoutError::Timeout) => {
                    self.idle();
                    continue;
                }
                Err(RecvTimeoutError::Disconnected) => Job::Close,
            };
            let (group, closing) = self.collect(first, jobs);
            open = !closing;
            self.write(group);
            self.recover();
            if self.unanchored.is_some_and(|since| since.elapsed() > ANCHOR_AGE_MAX) {
                self.drop_anchor();
            }
        }
        if self.unanchored.is_some() {
            self.drop_anchor();
        }
        self.note_stop();
    }

    /// How long to wait for a job.
    fn patience(&self) -> Duration {
        let stopped = self.shared.broken().is_some();
        if stopped { self.options.probe_pause.min(IDLE) } else { IDLE }
    }

    /// The open engine. The writer uses it only while the log accepts writes.
    fn store(&self) -> &Store {
        self.store.as_ref().expect("an engine is open while the log accepts writes")
    }

    fn idle(&mut self) {
        self.recover();
        if self.unanchored.is_some() {
            self.drop_anchor();
        }
        self.look_at_disk();
    }

    /// Takes the jobs queued behind `first`, within the limits of a group.
    fn collect(&self, first: Job, jobs: &Receiver<Job>) -> (Vec<Job>, bool) {
        let mut group = Vec::new();
        let (mut events, mut bytes) = (0, 0);
        let mut next = Some(first);
        while let Some(job) = next {
            if matches!(job, Job::Close) {
                return (group, true);
            }
            events += job.events();
            bytes += job.bytes();
            group.push(job);
            let full =
                events >= self.options.group_events_max || bytes >= self.options.group_bytes_max;
            next = if full { None } else { jobs.try_recv().ok() };
        }
        (group, false)
    }

    fn write(&mut self, jobs: Vec<Job>) {
        if jobs.is_empty() {
            return;
        }
        let bytes = jobs.iter().map(|job| job.bytes() as u64).sum();
        if let Some(unavailable) = self.refusal(bytes) {
            for job in jobs {
                job.refuse(unavailable.clone());
            }
            return;
        }
        let mut group = Group::default();
        for job in jobs {
            if let Some(unavailable) = self.shared.broken() {
                job.refuse(unavailable);
            } else if let Err(error) = self.take(&mut group, job) {
                self.break_down(&error);
            }
        }
        let outcome = match self.shared.broken() {
            Some(unavailable) => Err(unavailable),
            None => self.settle(&mut group).map_err(|error| self.break_down(&error)),
        };
        group.answer(&outcome);
    }

    /// Decides one job and writes its data into the engine.
    fn take(&mut self, group: &mut Group, job: Job) -> Result<(), StoreError> {
        match job {
            Job::Append { commit, guard, draft, answer } => {
                let outcome = self.append(group, commit, guard, draft);
                group.append(answer, outcome)
            }
            Job::Import { record, draft, answer } => {
                let outcome = self.import(group, *record, draft);
                group.import(answer, outcome)
            }
            Job::Erase { position, index, left, answer } => {
                let outcome = self.erase(group, position, index, left);
                group.erase(answer, outcome)
            }
            Job::Close => Ok(()),
        }
    }

    fn append(
        &mut self,
        group: &mut Group,
        commit: Commit,
        guard: Guard,
        draft: Draft,
    ) -> Result<Result<Appended, AppendError>, StoreError> {
        // An unreadable record fails the jobs that depend on it, and no others.
        let first = commit.command.map(|id| self.first_result(group, id)).transpose();
        let end = match first {
            Ok(Some(Some(first))) => return Ok(Ok(first)),
            Ok(_) if !commit.fits() => return Ok(Err(AppendError::Unfit)),
            Ok(_) => self.end_of(&commit.stream),
            Err(error) => Err(error),
        };
        let StreamEnd { revision, last } = match end {
            Ok(end) => end,
            Err(error) => return Ok(Err(undecided(&error).into())),
        };
        if last != guard.last {
            return Ok(Err(AppendError::Conflict { actual: revision }));
        }
        let revision = Revision(revision.0 + commit.events.len() as u64);
        let position = self.end.position.next();
        let epoch = self.shared.epoch;
        let record = Record::chain(epoch, position, revision, self.end.hash, commit);
        self.insert(group, record, draft).map(Ok)
    }

    fn import(
        &mut self,
        group: &mut Group,
        record: Record,
        draft: Draft,
    ) -> Result<Result<Appended, ImportError>, StoreError> {
        let known = match record.commit.command {
            Some(command) => self.first_result(group, command).map(|first| first.is_some()),
            None => Ok(false),
        };
        let decided =
            known.and_then(|known| Ok((known, self.end_of(&record.commit.stream)?.revision)));
        let (known, revision) = match decided {
            Ok(decided) => decided,
            Err(error) => return Ok(Err(undecided(&error).into())),
        };
        if let Some(why) = misfit(&record, self.end, revision, known) {
            return Ok(Err(ImportError::Discontinuous { position: record.position, why }));
        }
        self.insert(group, record, draft).map(Ok)
    }

    fn insert(
        &mut self,
        group: &mut Group,
        record: Record,
        draft: Draft,
    ) -> Result<Appended, StoreError> {
        let (position, revision) = (record.position, record.revision);
        let mut sealed = Sealed::new(draft, &record, self.durable);
        for (chunk, index) in std::mem::take(&mut sealed.chunks).into_iter().zip(0..) {
            self.make_room(chunk.len())?;
            self.store().insert_chunk(position, index, chunk)?;
        }
        self.make_room(sealed.value.len())?;
        self.store().insert_value(position, sealed)?;
        self.end = End { position, hash: record.hash };
        let last = record.commit.last_event();
        self.heads.set(record.commit.stream.clone(), StreamEnd { revision, last });
        group.add(record);
        Ok(Appended { position, revision, repeated: false })
    }

    /// Syncs early if `bytes` more would be too much for one sync.
    fn make_room(&mut self, bytes: usize) -> Result<(), StoreError> {
        if self.unsynced > 0 && self.unsynced + bytes > self.options.group_bytes_max {
            self.sync()?;
        }
        self.unsynced += bytes;
        Ok(())
    }

    fn first_result(
        &self,
        group: &Group,
        command: CommandId,
    ) -> Result<Option<Appended>, ReadError> {
        if let Some(pending) = group.made_by(command) {
            return Ok(Some(Appended { repeated: true, ..pending }));
        }
        let record = self.store().made_by(command, self.end.position)?;
        Ok(record.map(|record| Appended {
            position: record.position,
            revision: record.revision,
            repeated: true,
        }))
    }

    /// The end of `stream`, with the additions of the current group.
    fn end_of(&mut self, stream: &StreamId) -> Result<StreamEnd, ReadError> {
        if let Some(end) = self.heads.get(stream) {
            return Ok(end);
        }
        let record = self.store().last_of(stream, self.end.position)?;
        let end = record.map_or_else(StreamEnd::default, |record| StreamEnd {
            revision: record.revision,
            last: record.commit.last_event(),
        });
        self.heads.set(stream.clone(), end);
        Ok(end)
    }

    /// Brings the group to stable storage, then shows it to readers.
    fn settle(&mut self, group: &mut Group) -> Result<(), StoreError> {
        self.heads.bound();
        let (records, erased) = (group.take_records(), group.take_erased());
        if records.is_empty() && erased.is_empty() {
            return Ok(());
        }
        self.sync()?;
        self.mark()?;
        if erased.is_empty() {
            self.recovery.forget_erasures();
        }
        for record in erased {
            self.shared.recent.replace(record);
        }
        if records.is_empty() {
            return Ok(());
        }
        self.store().index.add(records.iter().map(Arc::as_ref));
        if self.store().index.is_damaged()
            && let Err(error) = self.store().mend_index()
        {
            tracing::error!(
                error = error.text(),
                "an index file is damaged and cannot be derived again"
            );
        }
        self.shared.recent.extend(records);
        self.show(self.end);
        Ok(())
    }

    /// Shows readers the log up to `end`, which is on stable storage.
    fn show(&mut self, end: End) {
        self.unanchored.get_or_insert_with(Instant::now);
        self.shared.publish(end);
    }

    /// Writes the file `head` after a sync.
    ///
    /// A file system that has just become read-only may report a sync as successful that wrote
    /// nothing. It refuses this write.
    fn mark(&mut self) -> Result<(), StoreError> {
        let End { position, hash } = self.end;
        let written = self.head_file.write(Mark { position, hash });
        written.map_err(|error| {
            StoreError::Refused(format!("the file `head` cannot be written: {error}").into())
        })
    }

    fn sync(&mut self) -> Result<(), StoreError> {
        self.store().flush()?;
        let synced = self.options.disk.sync_data(&self.store().file);
        synced.map_err(|error| StoreError::Refused(format!("the sync failed: {error}").into()))?;
        self.durable = self.end.position;
        self.unsynced = 0;
        Ok(())
    }

    /// Records a clean stop, so that the next start may read from the memory of the system.
    fn note_stop(&self) {
        let is_clean = self.shared.broken().is_none() && self.unsynced == 0;
        if is_clean
            && self.unanchored.is_none()
            && let Err(error) = stopped::set(&self.dir)
        {
            tracing::warn!(%error, "cannot write the file `stopped` of the log; the next start reads from the disk");
        }
    }

    /// Writes the anchor.
    fn drop_anchor(&mut self) {
        self.unanchored = None;
        if self.shared.broken().is_some() {
            return;
        }
        let End { position, hash } = self.end;
        if let Err(error) = anchor::write(&self.dir, Mark { position, hash }) {
            tracing::warn!(%error, "cannot write the file `anchor` of the log; the log will try again");
            self.unanchored = Some(Instant::now());
        }
    }
}

/// The reason why `record` cannot follow `end`, if there is one.
fn misfit(record: &Record, end: End, revision: Revision, known: bool) -> Option<&'static str> {
    let events = record.commit.events.len() as u64;
    let rules = [
        (record.position == end.position.next(), "it is not the next position"),
        (record.previous == end.hash, "it does not name the hash of the record before"),
        (record.is_intact(), "its hash does not match its content"),
        (record.commit.fits(), "it is empty or too large"),
        (record.revision.0 == revision.0 + events, "its revision is not the next of its stream"),
        (!known, "its command is in the log already"),
    ];
    rules.into_iter().find(|(holds, _)| !holds).map(|(_, why)| why)
}

/// The error of an append that depends on an unreadable record.
fn undecided(error: &ReadError) -> Unavailable {
    let reason =
        format!("nothing was written, because a record that it depends on cannot be read: {error}");
    Unavailable { reason: reason.into() }
}
