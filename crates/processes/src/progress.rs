//! The progress of a process, and how it continues.

use std::{collections::BTreeSet, io, time::Duration};

use parking_lot::Mutex;
use rookery_log::{EventLog, Millis, Position, ReadError, Record, Scope};
use tokio::{sync::Notify, time::sleep};

use crate::{Checkpoint, Process, ProcessStatus, Undone};

/// How many records are read at once.
const READ_PAGE: usize = 1_024;

/// How many commits a process passes before it saves its checkpoint, while it reads a long log.
const SAVE_EVERY: u64 = 16 * READ_PAGE as u64;

/// How many pages saving may read.
const SAVE_PAGES_MAX: usize = 4;

/// Most commits that are known to be done after the checkpoint; the work of more is checked again.
const DONE_MAX: usize = 65_536;

/// How long commits gather before a process looks at them. By then their commands have done most of
/// the work.
const GATHER: Duration = Duration::from_millis(250);

/// How long a process waits after a failure: at first, and at most.
const RETRY: (Duration, Duration) = (Duration::from_secs(1), Duration::from_mins(1));

/// The progress of one process.
pub struct Progress {
    checkpoint: Checkpoint,
    state: Mutex<State>,
    /// Locked by the caller that does the work.
    working: tokio::sync::Mutex<()>,
    /// Signals that a caller has released a commit.
    let_go: Notify,
}

/// The right to do the work of a commit, until it is dropped.
pub struct InHand<'a> {
    progress: &'a Progress,
    position: Position,
}

impl Drop for InHand<'_> {
    fn drop(&mut self) {
        self.progress.state.lock().in_hand.remove(&self.position);
        self.progress.let_go.notify_waiters();
    }
}

struct State {
    status: ProcessStatus,
    saved: Position,
    /// Commits after the position whose work is done.
    done: BTreeSet<Position>,
    /// Commits whose work another task is doing.
    in_hand: BTreeSet<Position>,
    /// Commits whose work goes on after they were passed.
    open: BTreeSet<Position>,
}

impl Progress {
    /// The progress of the process `name`, from its checkpoint on.
    #[must_use]
    pub fn open(name: &'static str, checkpoint: Checkpoint, tail: Position) -> Self {
        let position = checkpoint.load(tail);
        let status = ProcessStatus { name, position, skipped: 0, trouble: None };
        let (done, in_hand, open) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
        let state = State { status, saved: position, done, in_hand, open };
        let (working, let_go) = (tokio::sync::Mutex::default(), Notify::new());
        Self { checkpoint, state: Mutex::new(state), working, let_go }
    }

    /// Its status.
    #[must_use]
    pub fn status(&self) -> ProcessStatus {
        self.state.lock().status.clone()
    }

    /// Records that the work of the commit at `position` is done and durable.
    pub fn done(&self, position: Position) {
        let mut state = self.state.lock();
        if position > state.status.position && state.done.len() < DONE_MAX {
            state.done.insert(position);
        }
    }

    /// Takes the work of the commit at `position`; `None` if it is done, or another task has it.
    #[must_use]
    pub fn begin(&self, position: Position) -> Option<InHand<'_>> {
        let mut state = self.state.lock();
        let is_done = position <= state.status.position || state.done.contains(&position);
        let begins = !is_done && state.in_hand.insert(position);
        begins.then(|| InHand { progress: self, position })
    }

    /// The work of the commit at `position` goes on in a task of its own. The process passes it, and
    /// the checkpoint stays before it until [`Self::close`].
    pub fn keep_open(&self, position: Position) {
        self.state.lock().open.insert(position);
    }

    /// The work of an open commit is done and durable.
    pub fn close(&self, position: Position) {
        self.state.lock().open.remove(&position);
    }

    /// Like [`Self::begin`], but waits while another task has the work; `None` if it is done then.
    async fn begin_in_turn(&self, position: Position) -> Option<InHand<'_>> {
        loop {
            let let_go = self.let_go.notified();
            if let Some(in_hand) = self.begin(position) {
                return Some(in_hand);
            }
            if self.is_done(position) {
                return None;
            }
            let_go.await;
        }
    }

    /// Reports and counts work that will not be done.
    pub fn skip(&self, position: Position, reason: &str) {
        let mut state = self.state.lock();
        state.status.skipped += 1;
        let process = state.status.name;
        tracing::error!(process, %position, "the work of a commit is skipped: {reason}");
    }

    /// Works while it is polled: continues when the log grows, and retries after failures.
    pub async fn follow<P: Process>(
        &self,
        log: &dyn EventLog,
        clock: &(dyn Fn() -> Millis + Sync),
        process: impl Fn(Millis) -> P,
    ) {
        let mut tail = log.tail();
        let mut wait = RETRY.0;
        loop {
            tail.mark_unchanged();
            match self.catch_up(log, &process(clock())).await {
                Ok(_) => {
                    wait = RETRY.0;
                    if tail.changed().await.is_err() {
                        return;
                    }
                    sleep(GATHER).await;
                }
                Err(undone) => {
                    tracing::warn!(process = P::NAME, "retrying in {wait:?}: {undone:?}");
                    sleep(wait).await;
                    wait = (wait * 2).min(RETRY.1);
                }
            }
        }
    }

    /// Does the work of all commits up to the tail. Returns how many commits had work.
    ///
    /// # Errors
    /// [`Undone`] if some work can only be done later.
    #[expect(
        clippy::await_holding_invalid_type,
        reason = "mutations and processes run in tasks of their own"
    )]
    pub async fn catch_up<P: Process>(
        &self,
        log: &dyn EventLog,
        process: &P,
    ) -> Result<usize, Undone> {
        let _working = self.working.lock().await;
        let worked = self.work(log, process).await;
        let trouble = match &worked {
            Err(Undone::Later(reason) | Undone::Skipped(reason)) => Some(reason.clone()),
            Ok(_) => None,
        };
        self.state.lock().status.trouble = trouble;
        worked
    }

    async fn work<P: Process>(&self, log: &dyn EventLog, process: &P) -> Result<usize, Undone> {
        let mut handled = 0;
        loop {
            let page = self.page(log).await?;
            if page.is_empty() {
                return Ok(handled);
            }
            for record in page {
                if !self.is_done(record.position)
                    && P::concerns(&record)
                    && let Some(_in_hand) = self.begin_in_turn(record.position).await
                {
                    match process.handle(&record).await {
                        Ok(something) => handled += usize::from(something),
                        Err(Undone::Skipped(reason)) => self.skip(record.position, &reason),
                        Err(later) => return Err(later),
                    }
                }
                self.pass(record.position);
            }
            self.save_if_far();
        }
    }

    /// Saves the checkpoint if it is far behind, so that a server that is killed while a process
    /// reads a long log does not read all of it again.
    fn save_if_far(&self) {
        let (position, saved) = self.reached();
        if position.0.saturating_sub(saved.0) < SAVE_EVERY {
            return;
        }
        if let Err(error) = self.save_at(position) {
            let process = self.status().name;
            tracing::warn!(process, "cannot save the checkpoint: {error}");
        }
    }

    /// The position before which all work is done, and that of the file.
    fn reached(&self) -> (Position, Position) {
        let state = self.state.lock();
        let before = state.open.first().map(|open| Position(open.0.saturating_sub(1)));
        let position = state.status.position;
        (before.map_or(position, |before| before.min(position)), state.saved)
    }

    fn save_at(&self, position: Position) -> io::Result<()> {
        self.checkpoint.save(position)?;
        self.state.lock().saved = position;
        Ok(())
    }

    /// Moves the checkpoint past commits without undone work, and saves it. It stops at undone
    /// work: saving does no work.
    ///
    /// # Errors
    /// If the file cannot be written.
    #[expect(
        clippy::await_holding_invalid_type,
        reason = "mutations and processes run in tasks of their own"
    )]
    pub async fn save<P: Process>(&self, log: &dyn EventLog) -> io::Result<()> {
        // A working caller moves it.
        if let Ok(_working) = self.working.try_lock() {
            'pages: for _ in 0..SAVE_PAGES_MAX {
                let Ok(page) = self.page(log).await else { break };
                for record in &page {
                    if !self.is_done(record.position) && P::concerns(record) {
                        break 'pages;
                    }
                    self.pass(record.position);
                }
                if page.len() < READ_PAGE {
                    break;
                }
            }
        }
        let (position, saved) = self.reached();
        if position > saved { self.save_at(position) } else { Ok(()) }
    }

    /// The next records. A damaged record is skipped when it is the next one.
    async fn page(&self, log: &dyn EventLog) -> Result<Vec<std::sync::Arc<Record>>, Undone> {
        let mut limit = READ_PAGE;
        loop {
            let after = self.state.lock().status.position;
            match log.read(&Scope::All, after, limit).await {
                Ok(page) => return Ok(page),
                Err(ReadError::Damaged { position, damage }) if position <= after.next() => {
                    self.skip(after.next(), &damage);
                    self.pass(after.next());
                    limit = READ_PAGE;
                }
                Err(ReadError::Damaged { position, .. }) => {
                    let before = position.0 - after.0 - 1;
                    limit = usize::try_from(before).unwrap_or(READ_PAGE).min(limit - 1).max(1);
                }
                Err(ReadError::Unavailable(error)) => return Err(Undone::Later(error.to_string())),
            }
        }
    }

    fn is_done(&self, position: Position) -> bool {
        self.state.lock().done.contains(&position)
    }

    fn pass(&self, position: Position) {
        let mut state = self.state.lock();
        state.status.position = position;
        state.done.remove(&position);
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests fail by panicking")]
mod tests {
    use std::{sync::mpsc, thread};

    use bytes::Bytes;
    use rookery_log::{Commit, Epoch, Guard, LoggedEvent, MemoryLog, StreamId, StreamKind};

    use super::*;

    /// The work of the commit at this position cannot be done.
    struct StopsAt(Position);

    impl Process for StopsAt {
        const NAME: &'static str = "test";

        fn concerns(_: &Record) -> bool {
            true
        }

        async fn handle(&self, record: &Record) -> Result<bool, Undone> {
            let stops = Undone::Later("on purpose".to_owned());
            if record.position < self.0 { Ok(true) } else { Err(stops) }
        }
    }

    fn commit(number: u64) -> Commit {
        let event = LoggedEvent {
            id: number.to_string(),
            envelope: Bytes::new(),
            content: Bytes::from_static(b"{}"),
        };
        let stream = StreamId::new(StreamKind::Room, &number.to_string());
        Commit { stream, command: None, received: Millis::default(), events: vec![event] }
    }

    #[tokio::test]
    async fn a_server_that_is_killed_while_a_process_reads_a_long_log_goes_on_from_there() {
        let log = MemoryLog::new(Epoch(1));
        let last = Position(SAVE_EVERY + 1);
        for number in 0..last.0 {
            log.append(commit(number), Guard::EMPTY).await.unwrap();
        }
        let folder = tempfile::tempdir().unwrap();
        let checkpoint = || Checkpoint::of(Some(folder.path()), "test", Epoch(1));
        let progress = Progress::open("test", checkpoint(), last);
        assert!(progress.catch_up(&log, &StopsAt(last)).await.is_err());
        // A kill: it is not saved.
        drop(progress);
        let reached = checkpoint().load(last);
        assert!(reached > Position::ORIGIN && reached < last, "{reached}");
    }

    /// The work of each commit goes on after it.
    struct StaysOpen<'a>(&'a Progress);

    impl Process for StaysOpen<'_> {
        const NAME: &'static str = "test";

        fn concerns(_: &Record) -> bool {
            true
        }

        async fn handle(&self, record: &Record) -> Result<bool, Undone> {
            self.0.keep_open(record.position);
            Ok(true)
        }
    }

    #[tokio::test]
    async fn a_checkpoint_stays_before_work_that_goes_on() {
        let log = MemoryLog::new(Epoch(1));
        for number in 0..3 {
            log.append(commit(number), Guard::EMPTY).await.unwrap();
        }
        let folder = tempfile::tempdir().unwrap();
        let checkpoint = || Checkpoint::of(Some(folder.path()), "test", Epoch(1));
        let progress = Progress::open("test", checkpoint(), Position(3));
        assert_eq!(progress.catch_up(&log, &StaysOpen(&progress)).await.unwrap(), 3);
        for (closed, reached) in [(3, 0), (1, 1), (2, 3)] {
            progress.close(Position(closed));
            progress.save::<StaysOpen<'_>>(&log).await.unwrap();
            assert_eq!(checkpoint().load(Position(3)), Position(reached));
        }
    }

    #[test]
    fn work_in_hand_is_not_begun_again_and_stays_in_hand() {
        let (told, heard) = mpsc::channel();
        thread::spawn(move || {
            let checkpoint = Checkpoint::of(None, "test", Epoch(1));
            let progress = Progress::open("test", checkpoint, Position::ORIGIN);
            let in_hand = progress.begin(Position(3));
            let begun = in_hand.is_some();
            let again = (0..2).any(|_| progress.begin(Position(3)).is_some());
            drop(in_hand);
            told.send((begun, again, progress.begin(Position(3)).is_some())).unwrap();
        });
        // Both attempts once waited for a lock that their own thread held.
        let outcome = heard.recv_timeout(Duration::from_mins(1)).expect("an answer");
        assert_eq!(outcome, (true, false, true));
    }
}
