//! Webhooks: requests of other programs that become messages of a room.
//!
//! Incoming webhooks take the payloads of Slack's, so programs that can post to Slack can post to a room.
//!
//! **Invariant:** the conversion of a payload is a pure function: no I/O, no clock, no randomness.
//! **Invariant:** the HTML of a message has only tags and attributes that are written in this crate. All text of a
//! payload is escaped, and a link leads to an address of `http`, `https` or `mailto`.
//! **Invariant:** nothing here knows the accounts or the log: the gateway reaches both for it, behind the port [`Hooks`].

mod incoming;

pub use self::incoming::{
    answer::Answer,
    content::payload::{Mentioning, Message, PayloadError, message},
    rates::HookRates,
    route::{BODY_BYTES_MAX, Hook, Hooks, router},
};
