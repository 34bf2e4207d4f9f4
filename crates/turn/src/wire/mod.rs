//! The format of STUN and TURN on the wire. Knows no rule of the relay.
//!
//! It is written here, because the library that reads STUN logs a warning for each malformed datagram of a stranger
//! (decision 81).

mod channel;
mod frames;
mod integrity;
mod message;
mod names;
mod payload;
mod write;

#[cfg(test)]
mod tests;

pub(crate) use self::{
    channel::{CHANNELS, read_channel_data},
    frames::Frames,
    integrity::Key,
    message::{Message, Transaction},
    names::{Class, attribute, code, method},
    payload::{HEADROOM, Payload, TAILROOM},
    write::{Draft, PADDING},
};
