//! The program under test, its clients, and what they should see.

pub(crate) mod client;
pub(crate) mod oracle;
pub(crate) mod raw;
pub(crate) mod receiver;
pub(crate) mod server;
pub(crate) mod shape;
