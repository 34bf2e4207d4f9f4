//! The port to the relays for calls: who runs one tells users of it here.

use rookery_domain::UserId;
use rookery_log::Millis;

/// A server that helps two callers to reach each other, in the words of WebRTC.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IceServer {
    /// Its URIs, in the order of preference.
    pub urls: Vec<String>,
    /// The name to log in with, if it relays.
    pub username: Option<String>,
    /// The password, if it relays.
    pub credential: Option<String>,
    /// When the password ends.
    pub expires_at: Option<Millis>,
}

/// Tells users the relays for calls.
///
/// The credentials are for this user alone: the relay bounds what each user may take.
pub trait IceServers: Send + Sync {
    /// The servers for `user`, with credentials that begin `now`. Empty if there is none.
    fn for_user(&self, user: &UserId, now: Millis) -> Vec<IceServer>;
}

/// There is no relay.
pub struct NoIceServers;

impl IceServers for NoIceServers {
    fn for_user(&self, _user: &UserId, _now: Millis) -> Vec<IceServer> {
        Vec::new()
    }
}
