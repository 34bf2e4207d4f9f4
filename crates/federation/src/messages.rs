//! Messages beside events (EDUs): typing and the like, which nobody stores.

use rookery_domain::ServerName;
use serde_json::value::RawValue;

/// Takes the messages of other servers.
pub trait Messages: Send + Sync {
    /// Takes messages of `origin`. Only messages about users of that server count.
    fn receive(&self, origin: &ServerName, edus: &[Box<RawValue>]);
}

/// Drops all messages.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoMessages;

impl Messages for NoMessages {
    fn receive(&self, _: &ServerName, _: &[Box<RawValue>]) {}
}
