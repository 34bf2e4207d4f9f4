//! Requests to other servers.

mod access;
mod call;
mod calls;
mod directory;
mod reachability;
mod transport;

pub use self::{
    access::{Access, PatternError, ServerPattern},
    calls::{AliasTarget, CallError, JoinedState, MembershipTemplate, Remote, StateIds},
    reachability::Pauses,
};
pub use self::{
    call::{Call, TransportError},
    directory::{DirectoryPage, DirectoryRoom},
    reachability::Reachability,
    transport::Transport,
};
