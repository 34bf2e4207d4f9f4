//! TURN, the relay for calls between users whose networks allow no direct path.
//!
//! [`Credentials`] are what a client logs in with. [`Server`] is the relay. [`RelayClient`] is a small client, and [`check()`]
//! reports step by step what a client sees.
//!
//! Source: RFC 8656 (TURN), RFC 8489 (STUN), and the REST scheme of draft-uberti-behave-turn-rest-00.
//!
//! **Invariant:** a sender without valid credentials makes no state that grows.
//! **Invariant:** no datagram leaves for an address that [`PeerRules`] refuses.
//! **Invariant:** the rules read no clock: the time is an argument.

mod bucket;
mod check;
mod client;
mod credentials;
mod nonce;
mod server;
mod wire;

pub use self::{
    check::{Outcome, Step, check},
    client::{
        Allocated, Family, Login, Received, RelayClient, Source, Target, TargetError, Transport,
        Trouble,
    },
    credentials::{Credentials, LIFETIME, Secret, SecretError},
    server::{BindError, Bounds, Clock, Monitor, Now, Options, Server, Usage},
};
pub use rookery_addresses::{PublicAddresses as PeerRules, Refusal};
