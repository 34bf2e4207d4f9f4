//! Users, devices, passwords and access tokens: the secrets, which never go into the event log. And
//! the durable consumers of users.
//!
//! Everything is in one file (redb: ACID, durable when a call answers). Passwords are kept as
//! argon2id hashes, access tokens as SHA-256. Every request needs the owner of its token; that
//! comes from memory. The holder of such an identity learns at once when the session ends.
//!
//! **Invariant:** nothing here knows of rooms, events or GraphQL.
//! **Invariant:** no clock is read here: the time is an argument, so that tests can set it.
//! **Invariant:** no password and no token is ever stored, logged or shown by `Debug`.
//! **Invariant:** the accounts recover from an error of the disk without a restart, once the disk
//! works again.
//! **Invariant:** a session that ended in the file has ended in memory before the call that ended
//! it answers.

mod accounts;
mod consumers;
mod error;
mod file;
mod history;
mod logins;
mod options;
mod passwords;
mod services;
mod sessions;
mod time;
mod users;

#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;

pub use self::{
    accounts::{Accounts, User},
    consumers::row::{BatchRow, ConsumerKey, ConsumerRow, ParkedFate, ParkedRow},
    error::{
        ConsumerError, DeviceError, DeviceNameError, LocalpartError, LoginError, MaybeUnavailable,
        NewUserError, OpenError, PasswordError, RegisterError, Unavailable, UserError,
        WebhookError,
    },
    file::store::FORMAT_VERSION,
    history::{History, LogMark},
    logins::login::{Login, Registration, Session},
    options::{Options, RegistrationPolicy},
    passwords::{
        hashing::HashCost,
        secret::{AccessToken, PASSWORD_BYTES_MAX, PASSWORD_CHARS_MIN, Password},
    },
    services::{
        ActError, EnsureUserError, NewService, SERVICE_TOKEN_BYTES_MIN, ServiceError,
        ServiceRecord, ServiceToken, ServiceTokenHash,
    },
    sessions::{Identity, Revocation, SessionListener},
    time::Millis,
    users::{
        devices::Device,
        name::{DEVICE_NAME_BYTES_MAX, RESERVED_PREFIX},
        outgoing::{
            NewOutgoingWebhook, OUTGOING_WEBHOOKS_MAX, OUTGOING_WEBHOOKS_OF_ROOM_MAX,
            OUTGOING_WEBHOOKS_OF_USER_MAX, OutgoingSecret, OutgoingState, OutgoingWebhook,
        },
        webhooks::{
            NewWebhook, WEBHOOK_PREFIX, WEBHOOKS_OF_ROOM_MAX, WEBHOOKS_OF_USER_MAX, Webhook,
            WebhookLogin, WebhookSecret,
        },
    },
};
