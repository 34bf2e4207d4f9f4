//! The open file, and recovery after an error of the disk.
//!
//! After its first error, redb refuses everything until the file is reopened. This module reopens
//! it in a thread of its own, and retries until it succeeds.
//!
//! **Invariant:** nothing is written while fewer than [`FREE_BYTES_MIN`] are free or the file
//! system is read-only. Such a change is refused before anything is executed, and reads continue.
//! **Invariant:** after an error of the disk the old handle answers nothing.
//! **Invariant:** the file is never created a second time: without its accounts, anybody could take
//! a name.
//! **Invariant:** after a reopening, the sessions in memory are made equal to those of the file
//! before any answer, whatever happened to the change that failed.

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc, Weak,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use parking_lot::RwLock;
use redb::{Database, ReadTransaction, ReadableDatabase as _};

use crate::{
    OpenError, Unavailable,
    accounts::Inner,
    file::{disk::Disk, store},
};

/// Free space that a change needs: several times the size of the largest change.
pub(crate) const FREE_BYTES_MIN: u64 = 4 * 1024 * 1024;

/// Time between an error and the first attempt to reopen the file; it doubles each time.
const REOPEN_FIRST: Duration = Duration::from_millis(50);

/// Longest time between two attempts.
const REOPEN_MAX: Duration = Duration::from_secs(2);

pub(crate) struct Storage {
    path: PathBuf,
    server_name: String,
    disk: Box<dyn Disk>,
    state: RwLock<State>,
    /// Whether a thread is reopening the file.
    reopening: AtomicBool,
}

enum State {
    Open(Arc<Database>),
    /// Closed, for this reason.
    Broken(String),
}

impl Storage {
    /// Opens or creates the file at `path`.
    pub(crate) fn open(
        path: &Path,
        server_name: &str,
        disk: Box<dyn Disk>,
    ) -> Result<Self, OpenError> {
        let database = store::open(path, server_name, &*disk)?;
        Ok(Self::on(database, path, server_name, disk))
    }

    /// Opens the existing file at `path` in memory; changes are not stored.
    pub(crate) fn look(
        path: &Path,
        server_name: &str,
        disk: Box<dyn Disk>,
    ) -> Result<Self, OpenError> {
        let database = store::look(path, server_name)?;
        Ok(Self::on(database, path, server_name, disk))
    }

    fn on(database: Database, path: &Path, server_name: &str, disk: Box<dyn Disk>) -> Self {
        Self {
            path: path.into(),
            server_name: server_name.into(),
            disk,
            state: RwLock::new(State::Open(Arc::new(database))),
            reopening: AtomicBool::new(false),
        }
    }

    /// The file, unless an error has closed it.
    pub(crate) fn database(&self) -> Result<Arc<Database>, Unavailable> {
        match &*self.state.read() {
            State::Open(database) => Ok(Arc::clone(database)),
            State::Broken(reason) => {
                Err(Unavailable::new(format!("the file failed ({reason}) and is being reopened")))
            }
        }
    }

    /// Whether a change can be tried now. If not, none of it was executed.
    pub(crate) fn check_writable(&self) -> Result<(), Unavailable> {
        self.database()?;
        let folder = self.path.parent().filter(|folder| !folder.as_os_str().is_empty());
        let folder = folder.unwrap_or(Path::new("."));
        // If the disk does not report its free space, the write itself will fail.
        let Ok(room) = self.disk.room(folder) else { return Ok(()) };
        if room.read_only {
            let folder = folder.display();
            return Err(Unavailable::new(format!("the file system of {folder} is read-only")));
        }
        if room.free_bytes < FREE_BYTES_MIN {
            return Err(Unavailable::new(format!(
                "the disk is full: {} bytes are free below {}, and {FREE_BYTES_MIN} are needed. Free some space; writes continue automatically then",
                room.free_bytes,
                folder.display()
            )));
        }
        Ok(())
    }

    /// Closes `database` after an error. Returns `false` if it was closed before.
    fn close(&self, database: &Arc<Database>, reason: &str) -> bool {
        let mut state = self.state.write();
        let current = matches!(&*state, State::Open(open) if Arc::ptr_eq(open, database));
        if current {
            *state = State::Broken(reason.to_owned());
        }
        current
    }
}

impl Inner {
    /// Reads the file.
    pub(crate) fn read<T>(
        &self,
        read: impl FnOnce(&ReadTransaction) -> Result<T, Unavailable>,
    ) -> Result<T, Unavailable> {
        let database = self.storage.database()?;
        let transaction = database.begin_read().map_err(Unavailable::from);
        let result = transaction.and_then(|transaction| read(&transaction));
        if let Err(error) = &result {
            self.notice(&database, error);
        }
        result
    }

    /// Has the file reopened if `error` means that `database` answers nothing more.
    pub(crate) fn notice(&self, database: &Arc<Database>, error: &Unavailable) {
        if error.is_of_disk && self.storage.close(database, &error.reason) {
            tracing::error!(
                reason = error.reason,
                "the file of accounts failed; the server reopens it as soon as that works"
            );
            self.start_reopening();
        }
    }

    /// Starts a thread that reopens the file, if it is closed and no thread does.
    pub(crate) fn start_reopening(&self) {
        if !matches!(&*self.storage.state.read(), State::Broken(_))
            || self.storage.reopening.swap(true, Ordering::AcqRel)
        {
            return;
        }
        let inner = self.me.clone();
        let thread = std::thread::Builder::new().name("accounts-reopen".into());
        if thread.spawn(move || reopen(&inner)).is_err() {
            // `maintain` tries again.
            self.storage.reopening.store(false, Ordering::Release);
        }
    }

    fn try_to_reopen(&self) -> Result<(), OpenError> {
        let storage = &self.storage;
        let database = store::reopen(&storage.path, &storage.server_name, &*storage.disk)?;
        let reconciled = self.reconcile(&database);
        reconciled
            .map_err(|error| OpenError::Io { path: storage.path.clone(), reason: error.reason })?;
        *storage.state.write() = State::Open(Arc::new(database));
        Ok(())
    }

    /// Ends the sessions that the file does not have: the failed change may have been stored.
    fn reconcile(&self, database: &Database) -> Result<(), Unavailable> {
        let transaction = database.begin_read()?;
        self.sessions.reconcile(|hash| self.stored_session(&transaction, hash))?;
        // The expiry in memory may be from a change that was not stored.
        self.next_expiry.store(0, Ordering::Release);
        Ok(())
    }
}

/// Tries to reopen the file until it succeeds, or until the accounts are dropped.
fn reopen(inner: &Weak<Inner>) {
    let (mut wait, mut told) = (REOPEN_FIRST, String::new());
    loop {
        std::thread::sleep(wait);
        let Some(inner) = inner.upgrade() else { return };
        match inner.try_to_reopen() {
            Ok(()) => {
                inner.storage.reopening.store(false, Ordering::Release);
                tracing::info!("the file of accounts is open again");
                return;
            }
            Err(error) => {
                let reason = error.to_string();
                if reason != told {
                    tracing::warn!("the file of accounts cannot be reopened yet: {reason}");
                    told = reason;
                }
            }
        }
        wait = (wait * 2).min(REOPEN_MAX);
    }
}
