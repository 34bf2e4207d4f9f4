//! The ports of this crate to the schema, the accounts and the operator.
//!
//! - [`Authenticator`](auth::Authenticator) turns access tokens into sessions.
//! - [`Frames`](frame::Frames) executes operations, and names places in subscriptions for clients.
//! - [`TransportOptions`](options::TransportOptions) holds limits, deadlines and the costs of the
//!   fields.

pub(crate) mod auth;
pub(crate) mod bookmark;
pub(crate) mod frame;
pub(crate) mod options;
