//! The file: its tables, its version, and opening it.
//!
//! **Invariant:** a file that is damaged, of a later version or of another server is refused by
//! name and left unchanged, byte for byte. It is opened in memory first, because redb repairs while
//! it opens.
//! **Invariant:** a new file appears complete or not at all.

use std::{
    borrow::Borrow,
    fs::{self, File, OpenOptions},
    ops::Bound,
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
};

use redb::{
    Database, DatabaseError, ReadableDatabase as _, ReadableTable, StorageError, TableDefinition,
    TableHandle as _,
};

use crate::{
    OpenError, Unavailable,
    consumers::row::{CONSUMERS, PARKED},
    file::{
        disk::Disk,
        format::{Stored, StoredDevice, StoredToken, StoredUser},
        overlay::Overlay,
    },
    passwords::secret::TokenHash,
    services::{SERVICE_DEVICES, SERVICES},
    users::name::Localpart,
};

/// The format that this version writes, and the latest that it reads.
pub const FORMAT_VERSION: u32 = 1;

pub(crate) type Bytes = &'static [u8];
/// The name of an owner, and the ID of a thing that it owns.
pub(crate) type OwnedKey = (&'static str, &'static str);
pub(crate) type ExpiryKey = (u64, &'static [u8; 32]);

pub(crate) const META: TableDefinition<'_, &str, Bytes> = TableDefinition::new("meta");
pub(crate) const USERS: TableDefinition<'_, &str, Bytes> = TableDefinition::new("users");
pub(crate) const DEVICES: TableDefinition<'_, OwnedKey, Bytes> = TableDefinition::new("devices");
pub(crate) const TOKENS: TableDefinition<'_, &[u8; 32], Bytes> = TableDefinition::new("tokens");
/// Names of users that an import made and nobody has taken over; see [`crate::users::imported`].
pub(crate) const IMPORTED: TableDefinition<'_, &str, ()> = TableDefinition::new("imported");
/// Incoming webhooks, by ID.
pub(crate) const WEBHOOKS: TableDefinition<'_, &str, Bytes> = TableDefinition::new("webhooks");
/// The IDs of webhooks, by their rooms and by the users who made them.
pub(crate) const WEBHOOKS_OF: TableDefinition<'_, OwnedKey, ()> =
    TableDefinition::new("webhooks_of");
/// Outgoing webhooks, by ID.
pub(crate) const OUTGOING: TableDefinition<'_, &str, Bytes> =
    TableDefinition::new("outgoing_webhooks");
/// The IDs of outgoing webhooks, by the local parts of their owners, and by their rooms.
pub(crate) const OUTGOING_OF: TableDefinition<'_, OwnedKey, ()> =
    TableDefinition::new("outgoing_webhooks_of");
/// Tokens that will expire, soonest first.
pub(crate) const EXPIRIES: TableDefinition<'_, ExpiryKey, ()> = TableDefinition::new("expiries");

/// Set once an administrator has existed: from then on the first registration makes no
/// administrator.
pub(crate) const META_APPOINTED: &str = "administrator_appointed";
const META_FORMAT: &str = "format";
const META_SERVER: &str = "server_name";

/// The file is small, and a cache above it holds the hot rows.
const CACHE_BYTES: usize = 8 * 1024 * 1024;

/// Opens or creates the file at `path`.
pub(crate) fn open(path: &Path, server_name: &str, disk: &dyn Disk) -> Result<Database, OpenError> {
    let io = |error: std::io::Error| OpenError::Io { path: path.into(), reason: error.to_string() };
    let len = match fs::metadata(path) {
        Ok(metadata) => Some(metadata.len()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
        Err(error) => return Err(io(error)),
    };
    match len {
        None => make(path, server_name, disk)?,
        // Another program created an empty file.
        Some(0) => {}
        Some(_) => drop(look(path, server_name)?),
    }
    // The check in memory has verified the file already.
    let database = open_with(path, disk, len == Some(0), len.is_none_or(|len| len == 0))?;
    check_meta(&database, path, server_name)?;
    Ok(database)
}

/// Opens and checks the file in memory, so that a refused file stays unchanged.
pub(crate) fn look(path: &Path, server_name: &str) -> Result<Database, OpenError> {
    let damaged = |damage: String| OpenError::Damaged { path: path.into(), damage };
    let open = || {
        let mut builder = Database::builder();
        builder.set_cache_size(CACHE_BYTES).set_check_integrity_on_open(true);
        builder.create_with_backend(Overlay::over(path)?)
    };
    let database = catch_unwind(AssertUnwindSafe(open))
        .map_err(|_| damaged("reading it panicked".into()))?
        .map_err(|error| refuse(path, error))?;
    check_meta(&database, path, server_name)?;
    Ok(database)
}

/// Creates a file without accounts beside its place, and moves it there once it is complete.
fn make(path: &Path, server_name: &str, disk: &dyn Disk) -> Result<(), OpenError> {
    let io = |reason: String| OpenError::Io { path: path.into(), reason };
    let beside = path.with_extension("redb.new");
    match fs::remove_file(&beside) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            return Err(io(error.to_string()));
        }
        _ => {}
    }
    create_private(&beside).map_err(|error| io(error.to_string()))?;
    let database = open_checked(&beside, disk, true)?;
    initialise(&database, server_name).map_err(|error| io(error.reason))?;
    drop(database);
    let renamed = fs::rename(&beside, path).and_then(|()| sync_folder(path));
    renamed.map_err(|error| io(error.to_string()))
}

/// Reopens a file that was open before.
pub(crate) fn reopen(
    path: &Path,
    server_name: &str,
    disk: &dyn Disk,
) -> Result<Database, OpenError> {
    let database = open_checked(path, disk, false)?;
    let damaged = |damage: String| OpenError::Damaged { path: path.into(), damage };
    if read_meta(&database).map_err(|error| damaged(error.reason))?.is_none() {
        return Err(damaged("it is empty".into()));
    }
    check_meta(&database, path, server_name)?;
    Ok(database)
}

fn open_checked(path: &Path, disk: &dyn Disk, make: bool) -> Result<Database, OpenError> {
    open_with(path, disk, make, true)
}

fn open_with(path: &Path, disk: &dyn Disk, make: bool, check: bool) -> Result<Database, OpenError> {
    let mut builder = Database::builder();
    builder.set_cache_size(CACHE_BYTES).set_check_integrity_on_open(check);
    let damaged = |damage: String| OpenError::Damaged { path: path.into(), damage };
    catch_unwind(AssertUnwindSafe(|| disk.open(&builder, path, make)))
        .map_err(|_| damaged("reading it panicked".into()))?
        .map_err(|error| refuse(path, error))
}

/// Creates an empty file that only its owner may read, and makes its name durable.
fn create_private(path: &Path) -> std::io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Ok(file) => file.sync_all()?,
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => return Ok(()),
        Err(error) => return Err(error),
    }
    sync_folder(path)
}

/// Makes the name of a file durable.
fn sync_folder(path: &Path) -> std::io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    File::open(fs::canonicalize(folder.unwrap_or(Path::new(".")))?)?.sync_all()
}

fn refuse(path: &Path, error: DatabaseError) -> OpenError {
    let path = path.into();
    match error {
        DatabaseError::DatabaseAlreadyOpen => OpenError::InUse { path },
        DatabaseError::Storage(StorageError::Io(error))
            if error.kind() != std::io::ErrorKind::InvalidData
                && error.kind() != std::io::ErrorKind::UnexpectedEof =>
        {
            OpenError::Io { path, reason: error.to_string() }
        }
        other => OpenError::Damaged { path, damage: other.to_string() },
    }
}

fn check_meta(database: &Database, path: &Path, server_name: &str) -> Result<(), OpenError> {
    let damaged = |damage: String| OpenError::Damaged { path: path.into(), damage };
    let stored = read_meta(database).map_err(|error| damaged(error.reason))?;
    let unwritten = |error: Unavailable| OpenError::Io { path: path.into(), reason: error.reason };
    let Some(meta) = stored else {
        return initialise(database, server_name).map_err(unwritten);
    };
    let found = meta.format.try_into().map(u32::from_le_bytes);
    match found {
        Ok(FORMAT_VERSION) => {}
        Ok(found) if found > FORMAT_VERSION => {
            return Err(OpenError::Newer { path: path.into(), found, known: FORMAT_VERSION });
        }
        _ => return Err(damaged("its format version makes no sense".into())),
    }
    let stored = String::from_utf8_lossy(&meta.server_name).into_owned();
    if stored != server_name {
        return Err(OpenError::OtherServer {
            path: path.into(),
            stored,
            asked: server_name.into(),
        });
    }
    if table_names().iter().any(|name| !meta.tables.contains(name)) {
        add_tables(database).map_err(unwritten)?;
    }
    Ok(())
}

struct Meta {
    /// The names of the tables that the file has.
    tables: Vec<String>,
    format: Vec<u8>,
    server_name: Vec<u8>,
}

/// The properties that the file records; `None` for a new file.
fn read_meta(database: &Database) -> Result<Option<Meta>, Unavailable> {
    let read = database.begin_read()?;
    let tables: Vec<_> = read.list_tables()?.collect();
    if tables.is_empty() {
        return Ok(None);
    }
    if !tables.iter().any(|table| table.name() == META.name()) {
        return Err(Unavailable::new("it is not a file of accounts"));
    }
    let meta = read.open_table(META)?;
    let value = |key| {
        let value = meta.get(key)?.map(|value| value.value().to_vec());
        value.ok_or_else(|| Unavailable::new(format!("its {key} is missing")))
    };
    let tables = tables.iter().map(|table| table.name().to_owned()).collect();
    Ok(Some(Meta { tables, format: value(META_FORMAT)?, server_name: value(META_SERVER)? }))
}

fn initialise(database: &Database, server_name: &str) -> Result<(), Unavailable> {
    let write = database.begin_write()?;
    {
        let mut meta = write.open_table(META)?;
        meta.insert(META_FORMAT, &FORMAT_VERSION.to_le_bytes()[..])?;
        meta.insert(META_SERVER, server_name.as_bytes())?;
    }
    open_tables(&write)?;
    Ok(write.commit()?)
}

/// Adds the tables that a file of an earlier version does not have.
fn add_tables(database: &Database) -> Result<(), Unavailable> {
    let write = database.begin_write()?;
    open_tables(&write)?;
    Ok(write.commit()?)
}

/// The tables of a file, each named here once.
macro_rules! tables {
    ($($table:ident),* $(,)?) => {
        /// The names of all tables.
        pub(crate) fn table_names() -> Vec<String> {
            vec![$($table.name().to_owned()),*]
        }

        /// Opens all tables, which makes those that do not exist.
        fn open_tables(write: &redb::WriteTransaction) -> Result<(), Unavailable> {
            $(write.open_table($table)?;)*
            Ok(())
        }
    };
}

tables!(
    META,
    USERS,
    DEVICES,
    TOKENS,
    EXPIRIES,
    IMPORTED,
    WEBHOOKS,
    WEBHOOKS_OF,
    OUTGOING,
    OUTGOING_OF,
    SERVICES,
    SERVICE_DEVICES,
    CONSUMERS,
    PARKED,
);

/// The row of `key`.
pub(crate) fn stored<'a, K: redb::Key + 'static, T: Stored>(
    table: &impl ReadableTable<K, Bytes>,
    key: impl Borrow<K::SelfType<'a>>,
) -> Result<Option<T>, Unavailable> {
    table.get(key)?.map(|bytes| T::decode(bytes.value())).transpose()
}

pub(crate) fn user(
    users: &impl ReadableTable<&'static str, Bytes>,
    name: &Localpart,
) -> Result<Option<StoredUser>, Unavailable> {
    stored(users, name.as_str())
}

pub(crate) fn device(
    devices: &impl ReadableTable<OwnedKey, Bytes>,
    name: &Localpart,
    id: &str,
) -> Result<Option<StoredDevice>, Unavailable> {
    stored(devices, (name.as_str(), id))
}

/// The devices of a user, by ID.
pub(crate) fn devices(
    devices: &impl ReadableTable<OwnedKey, Bytes>,
    name: &Localpart,
) -> Result<Vec<(String, StoredDevice)>, Unavailable> {
    devices_after(devices, name, None, usize::MAX)
}

/// Up to `limit` devices of a user, after the one with a given ID.
pub(crate) fn devices_after(
    devices: &impl ReadableTable<OwnedKey, Bytes>,
    name: &Localpart,
    after: Option<&str>,
    limit: usize,
) -> Result<Vec<(String, StoredDevice)>, Unavailable> {
    owned(devices, name.as_str(), after, limit, StoredDevice::decode)
}

/// Up to `limit` rows of `owner`, after the one with a given ID.
pub(crate) fn owned<V: redb::Value + 'static, T>(
    table: &impl ReadableTable<OwnedKey, V>,
    owner: &str,
    after: Option<&str>,
    limit: usize,
    decode: impl Fn(V::SelfType<'_>) -> Result<T, Unavailable>,
) -> Result<Vec<(String, T)>, Unavailable> {
    let start = after.map_or(Bound::Included((owner, "")), |after| Bound::Excluded((owner, after)));
    let mut found = Vec::new();
    for row in table.range::<(&str, &str)>((start, Bound::Unbounded))? {
        let (key, value) = row?;
        let (of, id) = key.value();
        if of != owner || found.len() >= limit {
            break;
        }
        found.push((id.to_owned(), decode(value.value())?));
    }
    Ok(found)
}

pub(crate) fn token(
    tokens: &impl ReadableTable<&'static [u8; 32], Bytes>,
    hash: TokenHash,
) -> Result<Option<StoredToken>, Unavailable> {
    stored(tokens, &hash.0)
}
