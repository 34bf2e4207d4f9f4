//! Rate limits: buckets that refill, and the addresses that count as one client.
//!
//! **Invariant:** nothing here reads a clock.
//! **Invariant:** a refusal takes nothing from a bucket.
//! **Invariant:** a clock that is set back costs a client at most a full bucket.

mod buckets;
mod network;
mod pace;

pub use self::{
    buckets::{Buckets, Draw},
    network::Network,
    pace::{Pace, settle, take},
};
