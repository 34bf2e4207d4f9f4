//! Scalars, lists, texts and other general values.

pub(crate) mod boxed;
pub(crate) mod connection;
pub(crate) mod list;
pub(crate) mod node;
pub(crate) mod rate_limit;
pub(crate) mod scalars;
pub(crate) mod text;
