//! The types of the schema, by subject.

pub mod calls;
pub mod errors;
pub mod events;
pub mod filter;
pub mod rooms;
pub mod sync;
pub mod users;
pub mod values;
pub mod webhooks;
