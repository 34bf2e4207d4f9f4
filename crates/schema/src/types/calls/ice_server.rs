//! Servers that help two callers to reach each other.

use async_graphql::SimpleObject;

use crate::{
    ice,
    types::values::{list::List, scalars::DateTime},
};

/// A server that helps two callers to reach each other, as `RTCConfiguration.iceServers` takes it. The credentials are
/// yours alone: the server bounds what each user may relay.
#[derive(SimpleObject)]
pub struct IceServer {
    /// The addresses of the server: pass them on as they are.
    urls: List<String>,
    /// The name to log in with. Null if the server only tells clients their own address.
    username: Option<String>,
    /// The password. Null if `username` is.
    credential: Option<String>,
    /// When the password ends. Ask again before each call. In a call that takes longer, ask again and restart ICE.
    expires_at: Option<DateTime>,
}

impl From<ice::IceServer> for IceServer {
    fn from(server: ice::IceServer) -> Self {
        let ice::IceServer { urls, username, credential, expires_at } = server;
        Self { urls: List(urls), username, credential, expires_at: expires_at.map(DateTime) }
    }
}
