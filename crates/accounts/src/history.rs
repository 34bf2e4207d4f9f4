//! What the accounts ask of the event log of the same server, and how the two are compared.
//!
//! The log remembers users for as long as it lives, and the file of accounts may be lost, or be a backup
//! that is older than the log. Then a name without an account may still be somebody's.
//!
//! **Invariant:** a name that the log knows is never given to somebody who registers.
//! **Invariant:** every login and logout that the log tells of up to the [`LogMark`] of the file is in the file: the
//! mark is read within the transaction that saves it, and a device is told of after its transaction.

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

/// How far the log was at the last change of the accounts: 8 bytes of its epoch and 8 of the position, little-endian.
const META_LOG_MARK: &str = "log_mark";

/// A place in the history of a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogMark {
    /// Which history.
    pub epoch: u64,
    /// How many commits it has.
    pub position: u64,
}

/// The log of the same server, as far as the accounts need it.
pub trait History: Send + Sync {
    /// Whether the log tells of anything that this user did.
    fn knows(&self, user_id: &str) -> bool;

    /// Where the log ends.
    fn mark(&self) -> LogMark;
}

impl Accounts {
    /// Asks `history` from now on before a name is given out, and notes with each change how far it is. Set
    /// once; later calls change nothing.
    pub fn follow(&self, history: Arc<dyn History>) {
        self.inner.history.set(history).ok();
    }

    /// How far the log was at the last change; none for a file that was just made, or that an earlier version wrote.
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

    /// Those of `localparts` that could be names of users and have no account.
    ///
    /// Reads all users once, so it takes the longer the more there are, and 8 bytes of memory for each.
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

    /// Makes the accounts agree with a log that knows more than they do, in one transaction: each of `localparts`
    /// without an account gets one without a password, each of `devices` (local part and device ID) is
    /// removed, and from now on nobody becomes administrator by being the first to register. Doing it again changes
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
    /// Whether the log knows the name, by whoever bore it.
    pub(crate) fn is_in_history(&self, name: &Localpart) -> bool {
        self.inner().is_in_history(name)
    }

    /// Notes how far the log is, if there is one.
    pub(crate) fn note_log_mark(&mut self) -> Result<(), Unavailable> {
        if let Some(history) = self.inner().history.get() {
            self.put_meta(META_LOG_MARK, &history.mark().encode())?;
        }
        Ok(())
    }

    /// Whoever registers first does not become administrator.
    fn appoint_nobody(&mut self) -> Result<(), Unavailable> {
        self.put_meta(META_APPOINTED, &[1])
    }
}

impl crate::accounts::Inner {
    pub(crate) fn is_in_history(&self, name: &Localpart) -> bool {
        self.history.get().is_some_and(|history| history.knows(&name.user_id(&self.server_name)))
    }
}
