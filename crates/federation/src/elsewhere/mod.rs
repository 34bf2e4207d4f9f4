//! Actions of users of this server that other servers have to answer: joins, requests to join,
//! leaves of rooms that this server is not in, invites.
//!
//! **Invariant:** the answer of a server is checked before this server signs or stores anything: a
//! template is for the asked room, user and membership, and this server writes the event itself.
//! **Invariant:** each request is bounded in time and size, and an action asks a bounded number of
//! servers.

mod failures;
mod inviting;
mod joining;
mod leaving;
mod signatures;
mod stripped;
mod template;
mod withdrawn;
mod worker;

pub(crate) use self::{
    signatures::verified,
    stripped::preview_of,
    withdrawn::take_withdrawal,
    worker::{Limits, Worker},
};
