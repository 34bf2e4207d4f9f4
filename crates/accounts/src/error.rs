//! What can go wrong, one enum for each kind of operation.
//!
//! Refusals have a `code`, one of those that clients know; a fault is always [`Unavailable`].

use std::{path::PathBuf, time::Duration};

use crate::{DEVICE_NAME_BYTES_MAX, PASSWORD_BYTES_MAX, PASSWORD_CHARS_MIN, RESERVED_PREFIX};

/// The accounts cannot be read or written now: retry later, and look at the disk.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the accounts are unavailable: {reason}")]
pub struct Unavailable {
    /// What happened, for operators.
    pub reason: String,
    /// Whether a change may have been stored all the same. Otherwise nothing was executed.
    pub outcome_unknown: bool,
    /// Whether the file has to be opened again.
    pub(crate) is_of_disk: bool,
}

impl Unavailable {
    pub(crate) fn new(reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), outcome_unknown: false, is_of_disk: false }
    }

    /// The engine panicked: its handle cannot be trusted any more.
    pub(crate) fn panicked() -> Self {
        let reason = "a change panicked".into();
        Self { reason, outcome_unknown: true, is_of_disk: true }
    }

    /// The end of a change was not heard of.
    pub(crate) fn outcome_unknown(self) -> Self {
        Self { outcome_unknown: true, ..self }
    }
}

/// An error that may be a fault.
pub trait MaybeUnavailable {
    /// The fault, if it is one.
    fn unavailable(&self) -> Option<&Unavailable>;
}

impl MaybeUnavailable for Unavailable {
    fn unavailable(&self) -> Option<&Unavailable> {
        Some(self)
    }
}

macro_rules! maybe_unavailable {
    ($($error:ident),+) => {$(
        impl MaybeUnavailable for $error {
            fn unavailable(&self) -> Option<&Unavailable> {
                match self {
                    Self::Unavailable(fault) => Some(fault),
                    _ => None,
                }
            }
        }
    )+};
}
maybe_unavailable!(RegisterError, LoginError, DeviceError, NewUserError, UserError);

macro_rules! storage_errors {
    ($($error:ident),+) => {$(
        impl From<redb::$error> for Unavailable {
            fn from(error: redb::$error) -> Self {
                let error = redb::Error::from(error);
                // After these redb answers nothing more.
                let is_of_disk = matches!(
                    error,
                    redb::Error::Io(_)
                        | redb::Error::PreviousIo
                        | redb::Error::Backend(_)
                        | redb::Error::Corrupted(_)
                        | redb::Error::LockPoisoned(_)
                        | redb::Error::DatabaseClosed
                );
                Self { is_of_disk, ..Self::new(error.to_string()) }
            }
        }
    )+};
}
storage_errors!(CommitError, StorageError, TableError, TransactionError);

/// Why the file of accounts cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Stop the other process, or ask it instead.
    #[error("{} is in use by another process: stop the server that runs on this data directory", path.display())]
    InUse {
        /// The file.
        path: PathBuf,
    },
    /// The file is not what was written: restore it from a backup.
    #[error("{} is damaged ({damage}): restore it from a backup", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        damage: String,
    },
    /// A later version wrote it: run that version.
    #[error("{} has format {found}, and this version reads up to {known}: run the version of Rookery that wrote it, or a later one", path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// The format that it has.
        found: u32,
        /// The last format that this software knows.
        known: u32,
    },
    /// The accounts are of another server: use its name, or another data directory.
    #[error("{} holds the accounts of {stored:?}, not of {asked:?}: start with the name {stored:?}, or with another data directory", path.display())]
    OtherServer {
        /// The file.
        path: PathBuf,
        /// Whose accounts they are.
        stored: String,
        /// Whose were asked for.
        asked: String,
    },
    /// The file system refused.
    #[error("cannot open {}: {reason}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the file system said.
        reason: String,
    },
}

/// Why a text is not the local part of a user ID.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LocalpartError {
    /// There is nothing.
    #[error("a user name cannot be empty")]
    Empty,
    /// It has a character that names cannot have.
    #[error("a user name cannot contain {0:?}: use a-z, 0-9 and . _ = - / +")]
    Character(char),
    /// The user ID would be above 255 bytes.
    #[error("a user name on this server has at most {max} characters")]
    TooLong {
        /// Longest name.
        max: usize,
    },
    /// It is one of those that the server makes for itself.
    #[error(
        "user names that start with `{RESERVED_PREFIX}` are reserved for imports: choose another"
    )]
    Reserved,
}

/// Why a password cannot be set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PasswordError {
    /// Too easy to guess.
    #[error("a password needs at least {PASSWORD_CHARS_MIN} characters")]
    TooShort,
    /// Too long to hash for everyone.
    #[error("a password has at most {PASSWORD_BYTES_MAX} bytes")]
    TooLong,
}

impl PasswordError {
    /// The code for clients.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::TooShort => "PASSWORD_TOO_SHORT",
            Self::TooLong => "PASSWORD_TOO_LONG",
        }
    }
}

/// The name of a device is too long or has control characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a device name has at most {DEVICE_NAME_BYTES_MAX} bytes and no control characters")]
pub struct DeviceNameError;

/// Why nobody was registered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RegisterError {
    /// The operator does not want it: ask an administrator for an account.
    #[error("registration is closed on this server: ask its administrator for an account")]
    Closed,
    /// Only from the server's own machine: the operator can set `registration = "open"`.
    #[error(
        "registration is open only on the server's own machine: there, connect to it by `localhost` or `127.0.0.1` \
         and not through a proxy. Elsewhere ask the operator for an account (`rookery user create`), or to set \
         registration = \"open\""
    )]
    LoopbackOnly,
    /// Choose another name.
    #[error(transparent)]
    Localpart(#[from] LocalpartError),
    /// Choose another name.
    #[error("this user name is taken")]
    Taken,
    /// Choose another password.
    #[error(transparent)]
    Password(#[from] PasswordError),
    /// Choose another device name.
    #[error(transparent)]
    DeviceName(#[from] DeviceNameError),
    /// Retry after that time.
    #[error("too many registrations and logins at once: retry in {} s", retry_after.as_secs())]
    Busy {
        /// When to retry.
        retry_after: Duration,
    },
    /// A fault: retry later.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

impl RegisterError {
    /// The code for clients; `None` for a fault.
    #[must_use]
    pub fn code(&self) -> Option<&'static str> {
        Some(match self {
            Self::Closed | Self::LoopbackOnly => "REGISTRATION_CLOSED",
            Self::Localpart(_) => "USER_NAME_INVALID",
            Self::Taken => "USER_NAME_TAKEN",
            Self::Password(error) => error.code(),
            Self::DeviceName(_) => "DEVICE_NAME_INVALID",
            Self::Busy { .. } => "BUSY",
            Self::Unavailable(_) => return None,
        })
    }
}

/// Why nobody was logged in.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LoginError {
    /// No such user, or another password, or a deactivated user: nobody is told which.
    #[error("wrong user name or password")]
    WrongCredentials,
    /// Too many failures: retry after that time.
    #[error("too many failed logins: retry in {} s", retry_after.as_secs())]
    RateLimited {
        /// When to retry.
        retry_after: Duration,
    },
    /// Retry after that time.
    #[error("too many registrations and logins at once: retry in {} s", retry_after.as_secs())]
    Busy {
        /// When to retry.
        retry_after: Duration,
    },
    /// Leave the device ID out, and get a new device.
    #[error("you have no such device: log in without a device ID to get a new one")]
    NoSuchDevice,
    /// Log out somewhere, or log in with the ID of a device.
    #[error("you have {max} devices already: remove one, or log in with the ID of a device")]
    TooManyDevices {
        /// Most devices of a user.
        max: usize,
    },
    /// Choose another device name.
    #[error(transparent)]
    DeviceName(#[from] DeviceNameError),
    /// A fault: retry later.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

impl LoginError {
    /// The code for clients; `None` for a fault.
    #[must_use]
    pub fn code(&self) -> Option<&'static str> {
        Some(match self {
            Self::WrongCredentials => "WRONG_CREDENTIALS",
            Self::RateLimited { .. } => "RATE_LIMITED",
            Self::Busy { .. } => "BUSY",
            Self::NoSuchDevice => "DEVICE_NOT_FOUND",
            Self::TooManyDevices { .. } => "TOO_MANY_DEVICES",
            Self::DeviceName(_) => "DEVICE_NAME_INVALID",
            Self::Unavailable(_) => return None,
        })
    }
}

/// Why a device was not changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DeviceError {
    /// Look at the list of devices.
    #[error("there is no such device")]
    NoSuchDevice,
    /// Choose another device name.
    #[error(transparent)]
    DeviceName(#[from] DeviceNameError),
    /// A fault: retry later.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

impl DeviceError {
    /// The code for clients; `None` for a fault.
    #[must_use]
    pub fn code(&self) -> Option<&'static str> {
        match self {
            Self::NoSuchDevice => Some("DEVICE_NOT_FOUND"),
            Self::DeviceName(_) => Some("DEVICE_NAME_INVALID"),
            Self::Unavailable(_) => None,
        }
    }
}

/// Why an administrator's new account was not made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NewUserError {
    /// Choose another name.
    #[error("{name:?} is no user name: {error}")]
    Localpart {
        /// What was asked for.
        name: String,
        /// What is wrong with it.
        error: LocalpartError,
    },
    /// Choose another name.
    #[error("the user name {name:?} is taken")]
    Taken {
        /// What was asked for.
        name: String,
    },
    /// Choose another password.
    #[error(transparent)]
    Password(#[from] PasswordError),
    /// Retry after that time.
    #[error("too many passwords to hash at once: retry in {} s", retry_after.as_secs())]
    Busy {
        /// When to retry.
        retry_after: Duration,
    },
    /// A fault: retry later.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

/// Why a user was not changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UserError {
    /// Look at the list of users.
    #[error("there is no user {user:?} on this server: `rookery user list` shows all")]
    NoSuchUser {
        /// Who was asked for.
        user: String,
    },
    /// Nothing brings the user back: make another account.
    #[error("{user:?} is deactivated for good")]
    Deactivated {
        /// Who was asked for.
        user: String,
    },
    /// Log a device of the user out.
    #[error("the user has {max} devices already: remove one")]
    TooManyDevices {
        /// Most devices of a user.
        max: usize,
    },
    /// Choose another password.
    #[error(transparent)]
    Password(#[from] PasswordError),
    /// Choose another device name.
    #[error(transparent)]
    DeviceName(#[from] DeviceNameError),
    /// Retry after that time.
    #[error("too many passwords to hash at once: retry in {} s", retry_after.as_secs())]
    Busy {
        /// When to retry.
        retry_after: Duration,
    },
    /// A fault: retry later.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}
