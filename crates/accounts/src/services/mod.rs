//! Services: programs with a token, a bot and devices of their own.
//!
//! The file stores a registration as text that its owner understands; nothing here reads it.
//!
//! **Invariant:** a session of a service is that of one user on a device that belongs to the
//! service. Its stored token is derived from the service's token and the user, so it ends like any
//! other session.
//! **Invariant:** the token of a service is stored as its SHA-256 only.

mod acting;
mod error;
mod registered;
mod table;
mod token;

#[cfg(test)]
mod tests;

#[cfg(test)]
pub(crate) use self::table::StoredService;
pub(crate) use self::table::{SERVICE_DEVICES, SERVICES};
pub use self::{
    error::{ActError, EnsureUserError, ServiceError},
    registered::{NewService, ServiceRecord},
    token::{SERVICE_TOKEN_BYTES_MIN, ServiceToken, ServiceTokenHash},
};
