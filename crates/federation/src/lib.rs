//! Other Matrix servers: their keys and addresses, the listener for them, the sender to them.
//!
//! Source: Matrix server-server specification.
//!
//! **Invariant:** this is the only crate that knows HTTP between servers. Rules of rooms are those of `rookery-domain`,
//! and events enter the log through `rookery-command` alone.
//! **Invariant:** an event stays the bytes that came. Typed structs are for requests and answers.

extern crate rookery_federation_client as client;

mod admission;
mod edus;
mod elsewhere;
mod federation;
mod history;
mod home;
mod inbound;
mod keys;
mod lookups;
mod reachable;
mod rooms;
mod sender;
mod store;
#[cfg(test)]
mod tests;

use client::{clock, discovery, paths, signing};

pub use self::{
    client::{
        Access, AliasTarget, CallError, JoinedState, MembershipTemplate, PatternError, Pauses,
        Remote, ServerPattern, StateIds,
    },
    clock::Clock,
    discovery::{DnsSrv, SrvAnswer, SrvLookup, SrvRecord},
    federation::{Federation, Parts},
    inbound::{ListenError, Listener, TlsFiles},
    keys::{OldKey, OwnKeys},
    reachable::unreachable,
    sender::DestinationStatus,
    signing::{HeaderError, XMatrix},
    store::StoreError,
};
