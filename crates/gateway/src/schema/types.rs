//! The types of the schema, by subject.

pub(crate) mod errors;
pub(crate) mod events;
pub(crate) mod filter;
pub(crate) mod rooms;
pub(crate) mod sync;
pub(crate) mod users;
pub(crate) mod values;
