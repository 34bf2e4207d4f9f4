//! Room events as Matrix PDUs: parsed, sealed, signed, redacted, and received from other servers.
//!
//! **Invariant:** nothing here does I/O, reads a clock, draws randomness or is asynchronous.
//! **Invariant:** nothing here knows the state of a room. Whether a room takes an event is decided in
//! `rookery-domain`.

mod canonical;
mod event;
mod incoming;
pub mod limits;
mod redaction;
mod seal;
mod signing;
mod versions;

pub use self::{
    canonical::{JsonObject, canonical},
    event::{Pdu, PduError},
    incoming::{Incoming, IncomingError, PublicKeys},
    redaction::RedactError,
    seal::{SealError, Unsealed},
    signing::{
        ObjectError, ParseKeyError, SignError, SigningKey, sign, verify_bytes, verify_object,
    },
    versions::supported_rules,
};
