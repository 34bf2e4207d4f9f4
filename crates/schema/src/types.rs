//! The types of the schema, by subject. The general ones are in the crate `values`.

pub mod admin;
pub mod calls;
pub mod events;
pub mod filter;
pub mod node;
pub mod outgoing_webhooks;
pub mod rooms;
pub mod sync;
pub mod users;
pub mod webhooks;

pub use rookery_values as values;
pub use rookery_values::errors;
