//! Scalars, lists, texts and other values of no subject of their own.

pub(crate) mod list;
pub(crate) mod node;
pub(crate) mod rate_limit;
pub(crate) mod scalars;
pub(crate) mod text;
