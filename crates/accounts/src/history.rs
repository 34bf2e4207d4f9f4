//! The accounts' queries to the event log of the same server, and the comparison of both.
//!
//! The log remembers its users for as long as it exists. The file of accounts may be lost, or may
//! be a backup that is older than the log. Then a name without an account may still belong to a
//! user.
//!
//! **Invariant:** a registration never gets a name that the log knows.
//! **Invariant:** every login and logout in the log up to the [`LogMark`] of the file is in the
//! file too. The mark is read within the transaction that saves it, and the log gets a device after
//! that transaction.

use std::{collections::HashSet, hash::BuildHasher, sync::Arc};

use redb::ReadableTable as _;

use crate::{
    Accounts, Millis, Revocation, Unavailable,
    file::{
        change::Change,
        format::StoredUser,
        store::{META, META_APPOINTED, USERS},
    },
    users::name::Localpart,
};

/// The end of the log at the last change of the accounts: 8 bytes of its epoch and 8 of the
/// position, little-endian.
const META_LOG_MARK: &str = "log_mark";

/// A place in the history of a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogMark {
    /// The epoch.
    pub epoch: u64,
    /// How many commits it has.
    pub position: u64,
}

/// The log of the same server, as far as the accounts need it.
pub trait History: Send + Sync {
    /// Whether the log holds any event of this user.
    fn knows(&self, user_id: &str) -> bool;

    /// The end of the log.
    fn mark(&self) -> LogMark;
}

impl Accounts {
    /// Asks `history` from now on before a name is given out, and stores the log's end with each
    /// change. The first call sets it; later calls change nothing.
    pub fn follow(&self, history: Arc<dyn History>) {
        self.inner.history.set(history).ok();
    }

    /// The end of the log at the last change; `None` for a new file, or a file of an earlier
    /// version.
    ///
    /// # Errors
    /// [`Unavailable`] if the file cannot be read.
    pub fn log_mark(&self) -> Result<Option<LogMark>, Unavailable> {
        self.inner.read(|read| {
            let meta = read.open_table(META)?;
            let Some(value) = meta.get(META_LOG_MARK)? else { return Ok(None) };
            LogMark::decode(value.value()).map(Some)
        })
    }

    /// Stores the current mark of the log, so that the check before the next start reads little of it.
    ///
    /// # Errors
    /// [`Unavailable`] if the file cannot be read or written.
    pub async fn note_log_mark(&self) -> Result<(), Unavailable> {
        let Some(history) = self.inner.history.get() else { return Ok(()) };
        if self.log_mark()? == Some(history.mark()) {
            return Ok(());
        }
        self.change(|change| {
            change.note_log_mark()?;
            Ok(())
        })
        .await
    }

    /// The valid names among `localparts` that have no account.
    ///
    /// Reads all users once, so the time grows with their number. It takes 8 bytes of memory for
    /// each.
    ///
    /// # Errors
    /// [`Unavailable`] if the file cannot be read.
    pub fn without_account<'a>(
        &self,
        localparts: impl IntoIterator<Item = &'a str>,
    ) -> Result<Vec<&'a str>, Unavailable> {
        let hasher = std::collections::hash_map::RandomState::new();
        let known = self.inner.read(|read| {
            let mut known = HashSet::new();
            for row in read.open_table(USERS)?.iter()? {
                known.insert(hasher.hash_one(row?.0.value()));
            }
            Ok(known)
        })?;
        let server = &self.inner.server_name;
        let is_name = |name: &str| Localpart::parse(name, server).is_ok();
        let lacks = |name: &&str| !known.contains(&hasher.hash_one(*name)) && is_name(name);
        Ok(localparts.into_iter().filter(lacks).collect())
    }

    /// Brings the accounts up to a log that knows more, in one transaction. Each of `localparts`
    /// without an account gets one without a password. Each of `devices` (local part and device ID)
    /// is removed. From then on the first registration makes no administrator. Repeating it changes
    /// nothing.
    ///
    /// # Errors
    /// [`Unavailable`] if the file cannot be written.
    pub async fn adopt(
        &self,
        localparts: Vec<String>,
        devices: Vec<(String, String)>,
        now: Millis,
    ) -> Result<(), Unavailable> {
        let server = self.inner.server_name.clone();
        self.change(move |change| {
            change.appoint_nobody()?;
            for name in localparts {
                let Ok(name) = Localpart::parse(&name, &server) else { continue };
                if change.user(&name)?.is_none() {
                    change.put_user(&name, &StoredUser::without_password(now))?;
                }
            }
            for (user, id) in devices {
                let name = Localpart::stored(&user);
                if let Some(device) = change.device(&name, &id)? {
                    change.remove_device(&name, &id, &device, Revocation::LoggedOut)?;
                }
            }
            Ok(())
        })
        .await
    }
}

impl LogMark {
    fn encode(self) -> [u8; 16] {
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&self.epoch.to_le_bytes());
        bytes[8..].copy_from_slice(&self.position.to_le_bytes());
        bytes
    }

    fn decode(bytes: &[u8]) -> Result<Self, Unavailable> {
        let number = |half: Option<&[u8]>| Some(u64::from_le_bytes(half?.try_into().ok()?));
        let whole = (bytes.len() == 16).then_some(bytes);
        let epoch = number(whole.and_then(|bytes| bytes.get(..8)));
        let position = number(whole.and_then(|bytes| bytes.get(8..)));
        match (epoch, position) {
            (Some(epoch), Some(position)) => Ok(Self { epoch, position }),
            _ => Err(Unavailable::new("its place in the log is damaged")),
        }
    }
}

impl Change<'_> {
    /// Whether the log knows the name, with or without an account.
    pub(crate) fn is_in_history(&self, name: &Localpart) -> bool {
        self.inner().is_in_history(name)
    }

    /// Stores the end of the log, if there is a log.
    pub(crate) fn note_log_mark(&mut self) -> Result<(), Unavailable> {
        if let Some(history) = self.inner().history.get() {
            self.put_meta(META_LOG_MARK, &history.mark().encode())?;
        }
        Ok(())
    }

    /// From now on the first registration makes no administrator.
    fn appoint_nobody(&mut self) -> Result<(), Unavailable> {
        self.put_meta(META_APPOINTED, &[1])
    }
}

impl crate::accounts::Inner {
    pub(crate) fn is_in_history(&self, name: &Localpart) -> bool {
        self.history.get().is_some_and(|history| history.knows(&name.user_id(&self.server_name)))
    }
}
