//! Clients of a server, and bare references of their work.

pub(crate) mod audience;
pub(crate) mod broadcast;
pub(crate) mod frame;
pub(crate) mod http;
pub(crate) mod raw;
pub(crate) mod socket;
pub(crate) mod speaker;
