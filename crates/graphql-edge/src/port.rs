//! The ports of this crate: what it asks of the schema, of the accounts and of the operator.
//!
//! - [`Authenticator`](auth::Authenticator) turns access tokens into sessions.
//! - [`Frames`](frame::Frames) executes operations, and says how clients name a place in a subscription.
//! - [`TransportOptions`](options::TransportOptions) holds limits, deadlines and the costs of the fields.

pub(crate) mod auth;
pub(crate) mod bookmark;
pub(crate) mod frame;
pub(crate) mod options;
