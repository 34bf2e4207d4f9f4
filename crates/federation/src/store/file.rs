//! The file and its tables.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use parking_lot::Mutex;
use redb::{Database, ReadTransaction, ReadableDatabase as _, TableDefinition, WriteTransaction};

/// Keys of servers: server and key ID, then JSON.
pub(super) const KEYS: TableDefinition<'_, (&str, &str), &[u8]> = TableDefinition::new("keys");
/// Answers to transactions: origin and ID, then the number of the transaction and its answer.
pub(super) const TRANSACTIONS: TableDefinition<'_, (&str, &str), (u64, &[u8])> =
    TableDefinition::new("transactions");
/// IDs of transactions of an origin in the order of their arrival.
pub(super) const TRANSACTION_ORDER: TableDefinition<'_, (&str, u64), &str> =
    TableDefinition::new("transaction_order");
/// Destinations: name, then JSON.
pub(super) const DESTINATIONS: TableDefinition<'_, &str, &[u8]> =
    TableDefinition::new("destinations");
/// The last event of each room that a destination has not got: destination and room, then position and index.
pub(super) const ENDS: TableDefinition<'_, (&str, &str), (u64, u16)> = TableDefinition::new("ends");
/// Events of other servers that this server passes on: event ID, then the server that it came from.
pub(super) const RELAYED: TableDefinition<'_, &str, &str> = TableDefinition::new("relayed");
/// Events that wait for others: origin, room and event, then the event as it came.
pub(super) const WAITING: TableDefinition<'_, (&str, &str, &str), &[u8]> =
    TableDefinition::new("waiting");
/// Single numbers by name.
pub(super) const NUMBERS: TableDefinition<'_, &str, u64> = TableDefinition::new("numbers");

/// The file cannot be read or written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("cannot use {file}: {reason}")]
pub struct StoreError {
    file: String,
    reason: String,
}

/// The file. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Store(Arc<Shared>);

struct Shared {
    path: PathBuf,
    database: Mutex<Option<Arc<Database>>>,
}

impl Store {
    /// Opens the file, and creates it if it is missing.
    pub(crate) fn open(path: &Path) -> Result<Self, StoreError> {
        let store = Self(Arc::new(Shared { path: path.into(), database: Mutex::new(None) }));
        store.write_now(|write| {
            write.open_table(KEYS)?;
            write.open_table(TRANSACTIONS)?;
            write.open_table(TRANSACTION_ORDER)?;
            write.open_table(DESTINATIONS)?;
            write.open_table(ENDS)?;
            write.open_table(RELAYED)?;
            write.open_table(NUMBERS)?;
            write.open_table(WAITING)?;
            Ok(())
        })?;
        Ok(store)
    }

    /// Reads, in a thread that may wait for the disk.
    pub(super) async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&ReadTransaction) -> Result<T, redb::Error> + Send + 'static,
    ) -> Result<T, StoreError> {
        let store = self.clone();
        let done = tokio::task::spawn_blocking(move || {
            store.with(|database| read(&database.begin_read()?))
        });
        done.await.map_err(|error| self.error(error.to_string()))?
    }

    /// Changes, in a thread that may wait for the disk. All of the change is written, or nothing of it.
    pub(super) async fn write<T: Send + 'static>(
        &self,
        change: impl FnOnce(&WriteTransaction) -> Result<T, redb::Error> + Send + 'static,
    ) -> Result<T, StoreError> {
        let store = self.clone();
        let done = tokio::task::spawn_blocking(move || store.write_now(change));
        done.await.map_err(|error| self.error(error.to_string()))?
    }

    fn write_now<T>(
        &self,
        change: impl FnOnce(&WriteTransaction) -> Result<T, redb::Error>,
    ) -> Result<T, StoreError> {
        self.with(|database| {
            let write = database.begin_write()?;
            let changed = change(&write)?;
            write.commit()?;
            Ok(changed)
        })
    }

    fn with<T>(
        &self,
        work: impl FnOnce(&Database) -> Result<T, redb::Error>,
    ) -> Result<T, StoreError> {
        let database = self.database().map_err(|error| self.error(error.to_string()))?;
        work(&database).map_err(|error| {
            *self.0.database.lock() = None;
            self.error(error.to_string())
        })
    }

    fn database(&self) -> Result<Arc<Database>, redb::DatabaseError> {
        let mut open = self.0.database.lock();
        if let Some(database) = &*open {
            return Ok(Arc::clone(database));
        }
        let database = Arc::new(Database::create(&self.0.path)?);
        *open = Some(Arc::clone(&database));
        Ok(database)
    }

    fn error(&self, reason: String) -> StoreError {
        StoreError { file: self.0.path.display().to_string(), reason }
    }
}
