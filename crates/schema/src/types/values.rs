//! Scalars, lists, texts and other general values.

pub mod boxed;
pub mod connection;
pub mod ice_server;
mod interface;
pub mod list;
pub mod node;
pub mod rate_limit;
pub mod scalars;
pub mod text;

pub(crate) use self::interface::interface;
