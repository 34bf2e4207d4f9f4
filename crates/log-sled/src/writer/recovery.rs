//! Opens a stopped log again in the same process, once its disk works.
//!
//! After a failed write or sync nobody knows what the disk holds. So the writer proceeds as a
//! restart of the machine would: it lets the kernel forget what memory holds of the files, checks
//! the files as the disk returns them, and opens them. Readers keep the old engine until the check
//! has passed. See decision 59.
//!
//! **Invariant:** a log is opened again only if the disk returns every published commit.
//! **Invariant:** a refusal changes no file, and leaves readers the engine that is open.
//! **Invariant:** an answered erasure still holds in the reopened log.

use std::{
    fs::{self, File},
    io::{self, Write as _},
    path::Path,
    sync::Arc,
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use bytes::Bytes;
use rookery_log::{Position, Unavailable};

use super::{Group, Heads, Writer};
use crate::{
    Disk, OpenError,
    engine::store::{Store, StoreError},
    files::{anchor::Mark, cached},
    open::{self, Opened, Prepared, recover::End},
};

/// The longest pause between two probes of the disk.
const PAUSE_MAX: Duration = Duration::from_secs(10);
/// A log that works this long starts with the shortest pause again.
const WORKS_AFTER: Duration = Duration::from_mins(1);
/// How much a probe writes: as much as the engine adds to its file at once.
const PROBE_BYTES: usize = 512 * 1024;
/// How many erasures are repeated. After more of them only a restart opens a torn log.
const ERASURES_MAX: usize = 4_096;

/// An answered erasure.
pub(super) type Erasure = (Position, usize, Bytes);

/// The state of opening the log again.
#[derive(Default)]
pub(super) struct Recovery {
    /// Why the log stopped.
    cause: String,
    pause: Duration,
    /// When the next probe is due.
    next: Option<Instant>,
    probe: Option<JoinHandle<io::Result<()>>>,
    /// When the log was last opened again.
    reopened: Option<Instant>,
    /// Keeps the folder locked while no engine is open.
    lock: Option<File>,
    /// Erasures without a later commit. A torn end could undo them without a trace.
    erasures: Vec<Erasure>,
}

impl Recovery {
    /// Remembers an erasure.
    pub(super) fn remember(&mut self, erasure: Erasure) {
        if self.erasures.len() <= ERASURES_MAX {
            self.erasures.push(erasure);
        }
    }

    /// Forgets the erasures: a later commit is on stable storage.
    pub(super) fn forget_erasures(&mut self) {
        self.erasures.clear();
    }

    fn begin(&mut self, cause: String, pause: Duration) {
        // A log that stops again and again waits longer each time.
        if self.reopened.is_none_or(|since| since.elapsed() > WORKS_AFTER) {
            self.pause = pause;
        }
        self.cause = cause;
        self.next = Some(Instant::now() + self.pause);
    }

    /// The outcome of a probe that has ended. Starts a probe if one is due.
    ///
    /// A bad disk may hold up a probe for minutes, so it has a thread of its own.
    fn probed(&mut self, disk: &Arc<dyn Disk>, dir: &Path) -> Option<io::Result<()>> {
        if let Some(probe) = self.probe.take_if(|probe| probe.is_finished()) {
            let panicked = |_| Err(io::Error::other("the probe of the disk panicked"));
            return Some(probe.join().unwrap_or_else(panicked));
        }
        if self.probe.is_none() && self.next.is_some_and(|next| next <= Instant::now()) {
            let (disk, dir) = (Arc::clone(disk), dir.to_owned());
            let probe = thread::Builder::new().name("rookery-probe".to_owned());
            match probe.spawn(move || probe_disk(&*disk, &dir)) {
                Ok(probe) => self.probe = Some(probe),
                Err(error) => return Some(Err(error)),
            }
        }
        None
    }

    fn wait(&mut self) {
        self.pause = self.pause.saturating_mul(2).min(PAUSE_MAX);
        self.next = Some(Instant::now() + self.pause);
    }
}

/// Writes and syncs a small file.
fn probe_disk(disk: &dyn Disk, dir: &Path) -> io::Result<()> {
    let path = dir.join("probe");
    let mut file = File::create(&path)?;
    let written = file.write_all(&vec![0xa5; PROBE_BYTES]).and_then(|()| disk.sync_data(&file));
    fs::remove_file(path)?;
    written
}

impl Writer {
    /// Stops writing until the log was opened again, and reports it.
    pub(super) fn break_down(&mut self, error: &StoreError) -> Unavailable {
        let cause = format!("the log accepts no more writes: {}", error.text());
        let reason = format!(
            "{cause}. Check the disk below {}: the server opens the log again by itself when it \
             works",
            self.dir.display()
        );
        tracing::error!(reason, "the log stopped");
        self.recovery.begin(cause, self.options.probe_pause);
        self.shared.break_down(Unavailable { reason: reason.into() })
    }

    /// Takes the next step towards opening a stopped log.
    pub(super) fn recover(&mut self) {
        if self.shared.broken().is_none() {
            return;
        }
        let Some(probed) = self.recovery.probed(&self.options.disk, &self.dir) else { return };
        if let Err(error) = probed {
            tracing::warn!(%error, "the disk of the log does not work yet");
            return self.recovery.wait();
        }
        let Err(error) = self.open_again() else {
            tracing::info!(position = self.end.position.0, "the log was opened again");
            return;
        };
        tracing::error!(%error, "the log cannot be opened again");
        let reason = format!("{}; then it could not be opened again: {error}", self.recovery.cause);
        self.shared.set_broken(Some(Unavailable { reason: reason.into() }));
        self.recovery.wait();
    }

    fn open_again(&mut self) -> Result<(), OpenError> {
        let dir = self.dir.clone();
        if let Some(store) = &self.store {
            self.recovery.lock = Some(store.lock().map_err(OpenError::io("lock", &dir))?);
        }
        cached::forget(&dir).map_err(OpenError::io("read", &dir))?;
        self.prepare()?;
        self.store = None;
        if !self.shared.slot.close() {
            self.store = self.shared.slot.now().ok();
            let used = io::Error::other("a reader uses it without end");
            return Err(OpenError::io("close", dir)(used));
        }
        let again = self.prepare().and_then(|prepared| {
            let doubt = prepared.erasures_in_doubt();
            Ok((prepared.open(&dir, &self.options)?, doubt))
        });
        let resumed = again.and_then(|(opened, doubt)| self.resume(opened, doubt));
        if let Err(error) = &resumed {
            self.store = None;
            self.shared.slot.put(Err(Unavailable { reason: error.to_string().into() }));
        }
        resumed
    }

    /// Checks the files, which have to hold every published commit.
    fn prepare(&self) -> Result<Prepared, OpenError> {
        let End { position, hash } = self.shared.end();
        let lock = self.recovery.lock.as_ref().map(File::try_clone).transpose();
        let lock = lock.map_err(OpenError::io("lock", &self.dir))?;
        let prepared =
            open::prepare_again(&self.dir, &self.options, lock, Mark { position, hash })?;
        if prepared.erasures_in_doubt() && self.recovery.erasures.len() > ERASURES_MAX {
            let many = io::Error::other(
                "its end is torn, which may bring back erased content. Restart the server: it \
                 erases the content again",
            );
            return Err(OpenError::io("open", &self.dir)(many));
        }
        Ok(prepared)
    }

    /// Works on with the engine that was opened.
    fn resume(&mut self, opened: Opened, erase: bool) -> Result<(), OpenError> {
        let Opened { store, end, .. } = opened;
        let store: Arc<Store> = Arc::new(store);
        self.store = Some(Arc::clone(&store));
        self.heads = Heads::default();
        (self.end, self.durable, self.unsynced) = (end, end.position, 0);
        if erase {
            self.erase_again()
                .map_err(|error| OpenError::io("write", &self.dir)(io::Error::other(error)))?;
        }
        self.mark().map_err(|error| {
            OpenError::io("write", &self.dir)(io::Error::other(error.text().to_owned()))
        })?;
        // It may hold content that an unanswered erasure has removed from the engine.
        self.shared.recent.clear();
        self.shared.slot.put(Ok(store));
        self.show(end);
        self.recovery.lock = None;
        self.recovery.next = None;
        self.recovery.reopened = Some(Instant::now());
        self.shared.set_broken(None);
        self.look_at_disk();
        Ok(())
    }

    fn erase_again(&mut self) -> Result<(), String> {
        let mut group = Group::default();
        for (position, index, left) in self.recovery.erasures.clone() {
            let erased = self.erase(&mut group, position, index, left);
            let erased = erased.map_err(|error| error.text().to_owned())?;
            erased.map_err(|error| error.to_string())?;
        }
        self.sync().map_err(|error| error.text().to_owned())
    }
}
