//! Where a server is: from its name to the addresses to connect to.
//!
//! Source: Matrix server-server specification, "Resolving server names".
//!
//! **Invariant:** the answers of other servers only choose a host and a port. Whether its addresses may be reached is
//! checked by `rookery-outgoing` when it connects, for each of them.

mod cache;
mod resolve;
mod srv;
mod well_known;

#[cfg(test)]
mod tests;

pub use self::resolve::{Discovery, Route};
pub use self::srv::{DnsSrv, SrvAnswer, SrvLookup, SrvRecord};
pub use self::well_known::{Delegation, follow};
