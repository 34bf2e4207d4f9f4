//! The handle on the accounts, with the queries about users.

use std::{
    ops::Bound,
    path::Path,
    sync::{
        Arc, OnceLock, Weak,
        atomic::{AtomicBool, AtomicU64},
    },
};

use parking_lot::Mutex;
use redb::ReadableTableMetadata as _;
use tokio::sync::Semaphore;

use crate::{
    MaybeUnavailable, Millis, OpenError, Options, SessionListener, Unavailable,
    consumers::grouped::Waiting,
    file::{
        change::Change,
        disk::{Disk, RealDisk},
        format::{Stored as _, StoredUser},
        storage::Storage,
        store::{self, IMPORTED, USERS},
    },
    history::History,
    logins::failures::Failures,
    passwords::hashing::Hashing,
    sessions::Sessions,
    users::{imported::is_imported, name::Localpart},
};

/// Most users on one page of [`Accounts::users`].
const USERS_PAGE_MAX: usize = 1_000;

/// All users, devices and tokens of one server. Cheap to clone: all clones share the state.
///
/// Changes are async, because they wait for the disk. A change continues when its caller gives up.
/// Reads answer at once.
#[derive(Clone)]
pub struct Accounts {
    pub(crate) inner: Arc<Inner>,
    /// Admits one change at a time, without a blocked thread.
    pub(crate) turn: Arc<Semaphore>,
}

pub(crate) struct Inner {
    /// A weak handle on itself, for the thread that reopens the file.
    pub(crate) me: Weak<Inner>,
    pub(crate) storage: Storage,
    pub(crate) server_name: String,
    pub(crate) options: Options,
    pub(crate) hashing: Hashing,
    pub(crate) failures: Failures,
    pub(crate) sessions: Sessions,
    /// Small changes that wait for a transaction.
    pub(crate) waiting: Waiting,
    /// The log of the same server, after it was opened.
    pub(crate) history: OnceLock<Arc<dyn History>>,
    /// When the next token expires, in milliseconds. It may be too early, never too late.
    pub(crate) next_expiry: AtomicU64,
    /// Whether a caller is removing expired tokens.
    pub(crate) expiring: AtomicBool,
    /// When removing expired tokens failed, in milliseconds; `u64::MAX` if it did not.
    pub(crate) expiry_failed: AtomicU64,
    /// When the times at which devices were seen were last saved.
    pub(crate) seen_saved: Mutex<Option<Millis>>,
}

/// One user, as the file describes them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// The whole user ID, `@localpart:server`.
    pub user_id: String,
    /// The part before the server's name.
    pub localpart: String,
    /// Whether the user may administer the server.
    pub admin: bool,
    /// Whether the user has a password. Imported users have none and cannot log in.
    pub has_password: bool,
    /// Whether an import made the account and nobody has taken it over since.
    pub imported: bool,
    /// When the account was made.
    pub created: Millis,
    /// When it was deactivated, permanently.
    pub deactivated: Option<Millis>,
}

impl Accounts {
    /// Opens or creates the file at `path`, for the users of `server_name`.
    ///
    /// Reads and checks the whole file, so the time grows with the number of users.
    ///
    /// # Errors
    /// [`OpenError`], which says what an operator can do. The file is unchanged then.
    pub fn open(path: &Path, server_name: &str, options: Options) -> Result<Self, OpenError> {
        Self::open_on(path, server_name, options, Box::new(RealDisk))
    }

    pub(crate) fn open_on(
        path: &Path,
        server_name: &str,
        options: Options,
        disk: Box<dyn Disk>,
    ) -> Result<Self, OpenError> {
        let storage = Storage::open(path, server_name, disk)?;
        Ok(Self::on(storage, server_name, options))
    }

    /// Opens the file at `path` in memory. The file stays unchanged, and changes are not stored.
    /// No other process may have the file open.
    ///
    /// # Errors
    /// [`OpenError`], as from [`Self::open`].
    pub fn look(path: &Path, server_name: &str) -> Result<Self, OpenError> {
        let storage = Storage::look(path, server_name, Box::new(RealDisk))?;
        Ok(Self::on(storage, server_name, Options::default()))
    }

    fn on(storage: Storage, server_name: &str, options: Options) -> Self {
        let inner = Arc::new_cyclic(|me| Inner {
            me: me.clone(),
            storage,
            server_name: server_name.into(),
            hashing: Hashing::new(
                options.hash_cost,
                options.hashes_at_once,
                options.hashes_waiting_max,
            ),
            failures: Failures::new(&options),
            sessions: Sessions::new(options.sessions_cached_max),
            waiting: Waiting::default(),
            history: OnceLock::new(),
            // The first check finds the true time.
            next_expiry: AtomicU64::new(0),
            expiring: AtomicBool::new(false),
            expiry_failed: AtomicU64::new(u64::MAX),
            seen_saved: Mutex::default(),
            options,
        });
        Self { inner, turn: Arc::new(Semaphore::new(1)) }
    }

    /// The name of the server of these users.
    #[must_use]
    pub fn server_name(&self) -> &str {
        &self.inner.server_name
    }

    /// Calls `listener` for each session that ends from now on. The first call sets it; later calls
    /// change nothing.
    pub fn listen(&self, listener: Arc<dyn SessionListener>) {
        self.inner.sessions.listen(listener);
    }

    /// The user with this ID or local part.
    ///
    /// # Errors
    /// [`Unavailable`] if the file cannot be read.
    pub fn user(&self, user: &str) -> Result<Option<User>, Unavailable> {
        let Some(name) = self.inner.find(user) else { return Ok(None) };
        self.inner.read(|read| {
            let Some(stored) = store::user(&read.open_table(USERS)?, &name)? else {
                return Ok(None);
            };
            let imported = is_imported(read, &name)?;
            Ok(Some(self.inner.describe(&name, &stored, imported)))
        })
    }

    /// The full ID of a user, given as ID or local part; `None` if the text cannot be a user of
    /// this server.
    #[must_use]
    pub fn user_id(&self, user: &str) -> Option<String> {
        Some(self.inner.find(user)?.user_id(&self.inner.server_name))
    }

    /// Whether the name is taken, deactivated users included.
    ///
    /// # Errors
    /// [`Unavailable`] if the file cannot be read.
    pub fn exists(&self, user: &str) -> Result<bool, Unavailable> {
        Ok(self.user(user)?.is_some())
    }

    /// The users after the local part `after` in alphabetical order, at most `limit` (and never more
    /// than 1,000).
    ///
    /// # Errors
    /// [`Unavailable`] if the file cannot be read.
    pub fn users(&self, after: Option<&str>, limit: usize) -> Result<Vec<User>, Unavailable> {
        self.users_from("", after, limit)
    }

    /// Like [`Self::users`], but only users whose local part begins with `prefix`.
    ///
    /// # Errors
    /// [`Unavailable`] if the file cannot be read.
    pub fn users_from(
        &self,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<User>, Unavailable> {
        self.inner.read(|read| {
            let table = read.open_table(USERS)?;
            let imports = read.open_table(IMPORTED)?;
            let start = match after {
                Some(after) if after >= prefix => Bound::Excluded(after),
                _ => Bound::Included(prefix),
            };
            let rows = table.range::<&str>((start, Bound::Unbounded))?;
            // A row that cannot be read ends the page with its error.
            let begins = |row: &Result<(redb::AccessGuard<'_, &str>, _), _>| {
                row.as_ref().map_or(true, |(key, _)| key.value().starts_with(prefix))
            };
            rows.take_while(begins)
                .take(limit.min(USERS_PAGE_MAX))
                .map(|row| {
                    let (key, value) = row?;
                    let stored = StoredUser::decode(value.value())?;
                    let imported = imports.get(key.value())?.is_some();
                    Ok(self.inner.describe(&Localpart::stored(key.value()), &stored, imported))
                })
                .collect()
        })
    }

    /// How many users there are, deactivated ones included.
    ///
    /// # Errors
    /// [`Unavailable`] if the file cannot be read.
    pub fn count(&self) -> Result<u64, Unavailable> {
        self.inner.read(|read| Ok(read.open_table(USERS)?.len()?))
    }

    /// Whether accounts can be read and written now.
    ///
    /// # Errors
    /// [`Unavailable`], with the reason for operators.
    pub fn check_writable(&self) -> Result<(), Unavailable> {
        self.inner.storage.check_writable()
    }

    /// Runs `change` in a transaction on a thread that may block; see [`Inner::change`].
    pub(crate) async fn change<T, E>(
        &self,
        change: impl FnOnce(&mut Change<'_>) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<Unavailable> + MaybeUnavailable + Send + 'static,
    {
        let gone = || E::from(Unavailable::interrupted());
        let turn = self.turn.clone().acquire_owned().await.map_err(|_| gone())?;
        let inner = self.inner.clone();
        let work = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            inner.change(change)
        });
        work.await.map_err(|_| gone())?
    }
}

impl Inner {
    pub(crate) fn find(&self, user: &str) -> Option<Localpart> {
        Localpart::find(user, &self.server_name)
    }

    pub(crate) fn stored_user(&self, name: &Localpart) -> Result<Option<StoredUser>, Unavailable> {
        self.read(|read| store::user(&read.open_table(USERS)?, name))
    }

    fn describe(&self, name: &Localpart, stored: &StoredUser, imported: bool) -> User {
        User {
            user_id: name.user_id(&self.server_name),
            localpart: name.to_string(),
            admin: stored.admin,
            has_password: stored.password.is_some(),
            imported,
            created: stored.created,
            deactivated: stored.deactivated,
        }
    }
}
