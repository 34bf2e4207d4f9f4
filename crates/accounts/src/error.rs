//! Errors, one enum for each kind of operation.
//!
//! A refusal has a `code` for clients. A fault is always [`Unavailable`].

use std::{path::PathBuf, time::Duration};

use crate::{
    DEVICE_NAME_BYTES_MAX, PASSWORD_BYTES_MAX, PASSWORD_CHARS_MIN, RESERVED_PREFIX, WEBHOOK_PREFIX,
};

/// The accounts cannot be read or written now. Retry later, and check the disk.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the accounts are unavailable: {reason}")]
pub struct Unavailable {
    /// The cause, for operators.
    pub reason: String,
    /// Whether the change may have been stored. If not, nothing was executed.
    pub outcome_unknown: bool,
    /// Whether the file has to be reopened.
    pub(crate) is_of_disk: bool,
}

impl Unavailable {
    /// A fault with this cause, before anything was executed.
    #[must_use]
    pub fn new(reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), outcome_unknown: false, is_of_disk: false }
    }

    /// The end of a change did not arrive.
    #[must_use]
    pub fn interrupted() -> Self {
        Self::new("the change was interrupted").outcome_unknown()
    }

    /// The engine panicked, so its handle cannot be trusted.
    pub(crate) fn panicked() -> Self {
        let reason = "a change panicked".into();
        Self { reason, outcome_unknown: true, is_of_disk: true }
    }

    /// The end of a change did not arrive.
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
maybe_unavailable!(
    RegisterError,
    LoginError,
    DeviceError,
    NewUserError,
    UserError,
    WebhookError,
    ConsumerError
);

macro_rules! storage_errors {
    ($($error:ident),+) => {$(
        impl From<redb::$error> for Unavailable {
            fn from(error: redb::$error) -> Self {
                let error = redb::Error::from(error);
                // After these errors redb answers nothing more.
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

/// The file of accounts cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process has the file open. Stop that process, or use it instead.
    #[error("{} is in use by another process: stop the server that runs on this data directory", path.display())]
    InUse {
        /// The file.
        path: PathBuf,
    },
    /// The file is damaged. Restore it from a backup.
    #[error("{} is damaged ({damage}): restore it from a backup", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// The damage.
        damage: String,
    },
    /// A later version wrote the file. Run that version.
    #[error("{} has format {found}, and this version reads up to {known}: run the version of Rookery that wrote it, or a later one", path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// The format of the file.
        found: u32,
        /// The latest format that this version reads.
        known: u32,
    },
    /// The accounts are of another server. Use its name, or another data directory.
    #[error("{} holds the accounts of {stored:?}, not of {asked:?}: start with the name {stored:?}, or with another data directory", path.display())]
    OtherServer {
        /// The file.
        path: PathBuf,
        /// The server name in the file.
        stored: String,
        /// The server name of this start.
        asked: String,
    },
    /// The file system returned an error.
    #[error("cannot open {}: {reason}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The error of the file system.
        reason: String,
    },
}

/// A text is not the local part of a user ID.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LocalpartError {
    /// The text is empty.
    #[error("a user name cannot be empty")]
    Empty,
    /// The text has a character that names cannot have.
    #[error("a user name cannot contain {0:?}: use a-z, 0-9 and . _ = - / +")]
    Character(char),
    /// The user ID would be above 255 bytes.
    #[error("a user name on this server has at most {max} characters")]
    TooLong {
        /// Longest name.
        max: usize,
    },
    /// The name is reserved for users that the server creates.
    #[error(
        "user names that start with `{RESERVED_PREFIX}` (imports) or `{WEBHOOK_PREFIX}` (webhooks) are reserved: choose \
         another"
    )]
    Reserved,
}

/// A password cannot be set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PasswordError {
    /// Too easy to guess.
    #[error("a password needs at least {PASSWORD_CHARS_MIN} characters")]
    TooShort,
    /// Longer than the server hashes.
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

/// A registration failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RegisterError {
    /// The operator closed registration. Ask an administrator for an account.
    #[error("registration is closed on this server: ask its administrator for an account")]
    Closed,
    /// Registration is allowed only from the server's own machine. The operator can set
    /// `registration = "open"`.
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
        /// The time to wait.
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

/// A login failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LoginError {
    /// The user does not exist, the password is wrong, or the user is deactivated. The answer does
    /// not say which.
    #[error("wrong user name or password")]
    WrongCredentials,
    /// Too many logins failed. Retry after that time.
    #[error("too many failed logins: retry in {} s", retry_after.as_secs())]
    RateLimited {
        /// The time to wait.
        retry_after: Duration,
    },
    /// Retry after that time.
    #[error("too many registrations and logins at once: retry in {} s", retry_after.as_secs())]
    Busy {
        /// The time to wait.
        retry_after: Duration,
    },
    /// Leave the device ID out to get a new device.
    #[error("you have no such device: log in without a device ID to get a new one")]
    NoSuchDevice,
    /// Log out on another device, or log in with the ID of a device.
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

/// A device was not changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DeviceError {
    /// There is no such device. Check the list of devices.
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

/// An administrator's new account was not created.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NewUserError {
    /// Choose another name.
    #[error("{name:?} is not a user name: {error}")]
    Localpart {
        /// The requested name.
        name: String,
        /// The reason.
        error: LocalpartError,
    },
    /// Choose another name.
    #[error("the user name {name:?} is taken")]
    Taken {
        /// The requested name.
        name: String,
    },
    /// Choose another password.
    #[error(transparent)]
    Password(#[from] PasswordError),
    /// Retry after that time.
    #[error("too many passwords to hash at once: retry in {} s", retry_after.as_secs())]
    Busy {
        /// The time to wait.
        retry_after: Duration,
    },
    /// A fault: retry later.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

/// A user was not changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UserError {
    /// There is no such user. Check the list of users.
    #[error("there is no user {user:?} on this server: `rookery user list` shows all")]
    NoSuchUser {
        /// The requested user.
        user: String,
    },
    /// The user is deactivated permanently. Create another account.
    #[error("{user:?} is deactivated permanently; create another account")]
    Deactivated {
        /// The requested user.
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
        /// The time to wait.
        retry_after: Duration,
    },
    /// A fault: retry later.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

/// A webhook was not made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WebhookError {
    /// The room or the user has as many as allowed. Delete one.
    #[error("there are {max} webhooks already: delete one that is no longer needed")]
    TooMany {
        /// The greatest number.
        max: usize,
    },
    /// A fault: retry later.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

/// A consumer was not made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConsumerError {
    /// Delete a consumer of the owner.
    #[error("there are {max} consumers already: delete one with `deleteConsumer`")]
    TooMany {
        /// Most consumers of an owner.
        max: usize,
    },
    /// The owner does not exist, or not any more.
    #[error("the owner of the consumer does not exist")]
    NoOwner,
    /// A fault: retry later.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}
