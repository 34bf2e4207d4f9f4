//! The services of this server that are bridges: as callers, as receivers of transactions, and as owners of names.
//!
//! **Invariant:** everything else here reaches them through ports: [`Services`](crate::Services),
//! [`Outgoing`](crate::Outgoing) and [`Source`](crate::Source).

mod asking;
mod client;
mod directory;
mod pushing;

pub use self::{
    asking::Bridges,
    client::client,
    directory::bridges,
    pushing::{Pushing, push},
};
