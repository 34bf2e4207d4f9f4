//! The keys of this server as others get them, and the keys of other servers.
//!
//! Source: Matrix server-server specification, "Retrieving server keys".

mod answer;
mod remote;

pub use rookery_federation_client::own::{OldKey, OwnKeys};

pub(crate) use self::remote::RemoteKeys;
