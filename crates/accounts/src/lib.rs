//! Users, devices, passwords and access tokens: the secrets, which never go into the event log.
//!
//! Everything is in one file (redb: ACID, durable when a call answers). Passwords are kept as
//! argon2id hashes, access tokens as SHA-256. What is asked for on every request, whose token this
//! is, is answered from memory; whoever holds that answer learns at once when it ceases to hold.
//!
//! **Invariant:** nothing here knows of rooms, events or GraphQL.
//! **Invariant:** no clock is read here: the time is an argument, so that tests can turn it.
//! **Invariant:** no password and no token is ever stored, logged or shown by `Debug`.
//! **Invariant:** an error of the disk is over when the disk is well again, without a restart.
//! **Invariant:** a session that ended in the file has ended in memory before the call that ended
//! it answers.

mod accounts;
mod admin;
mod authenticate;
mod change;
mod devices;
mod disk;
mod error;
mod failures;
mod format;
mod hashing;
mod history;
mod imported;
mod login;
mod name;
mod options;
mod overlay;
mod secret;
mod sessions;
mod storage;
mod store;
mod time;
mod turns;
mod workspace;

#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;

pub use self::{
    accounts::{Accounts, User},
    devices::Device,
    error::{
        DeviceError, DeviceNameError, LocalpartError, LoginError, MaybeUnavailable, NewUserError,
        OpenError, PasswordError, RegisterError, Unavailable, UserError,
    },
    hashing::HashCost,
    history::{History, LogMark},
    login::{Login, Registration, Session},
    name::{DEVICE_NAME_BYTES_MAX, RESERVED_PREFIX},
    options::{Options, RegistrationPolicy},
    secret::{AccessToken, PASSWORD_BYTES_MAX, PASSWORD_CHARS_MIN, Password},
    sessions::{Identity, Revocation, SessionListener},
    store::FORMAT_VERSION,
    time::Millis,
};
