//! Actions of users that other servers have to answer: joins of rooms that this server is not in,
//! requests to join, invites of users of other servers.
//!
//! Other servers may be slow, so such an action does not hold its turn while they answer. At its
//! turn the stream of its user records that it has begun. That commit is its place in the order of
//! the device's actions, and the answer to a retry. Another crate carries it out
//! ([`RemoteActions`]), and the stream of the user records its end.
//!
//! **Invariant:** nothing is asked of another server before the beginning is durable.
//! **Invariant:** an action ends once: its end has a command ID that follows from its own ID.

mod entering;
mod inviting;
mod remote;
mod standing;

pub(crate) use self::remote::{Remote, begun_by};
pub use self::{
    inviting::Drafted,
    remote::{BegunAction, RemoteActions},
};
