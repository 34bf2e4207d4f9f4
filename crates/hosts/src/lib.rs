//! The hosts for which the server answers, and the clients behind its proxies.
//!
//! **Invariant:** one layer around all routes decides each of the two questions.

mod host;
mod hosts;
mod nearness;
mod proxies;
mod unnamed_proxy;

pub use self::{
    host::Host,
    hosts::{Hosts, only_for},
    nearness::behind_proxies,
    proxies::{Client, Network, TrustedProxies},
};
