//! The rules of rooms and accounts: commands, events, decisions, and who may see what.
//!
//! **Invariant:** nothing here does I/O, reads a clock, draws randomness or is asynchronous.

mod envelope;
mod fact;
mod pdu;

pub use self::{
    envelope::{Envelope, EventStatus, Origin},
    fact::{AccountEvent, AliasEvent, Fact, FactError, RoomEvent, StoredFact, Subject},
    pdu::{Pdu, PduError},
};
pub use ruma_common::{
    EventId, OwnedEventId, OwnedRoomAliasId, OwnedRoomId, OwnedServerName, OwnedUserId,
    RoomAliasId, RoomId, RoomVersionId, ServerName, UserId,
};
