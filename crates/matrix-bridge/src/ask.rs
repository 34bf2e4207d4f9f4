//! Questions to bridges: whether a user or an alias of their namespaces exists, and whether they are alive.
//!
//! Source: Matrix application service specification, "Querying" and "Pinging".

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use form_urlencoded::byte_serialize;

use crate::{Endpoint, Outgoing, OutgoingAnswer, OutgoingError, OutgoingRequest};

/// How long a user waits for the answer of a bridge.
const ASK_TIMEOUT: Duration = Duration::from_secs(5);

/// Asks bridges.
#[derive(Clone)]
pub struct Asking {
    outgoing: Arc<dyn Outgoing>,
}

impl Asking {
    /// Asks with this client.
    #[must_use]
    pub fn new(outgoing: Arc<dyn Outgoing>) -> Self {
        Self { outgoing }
    }

    /// Whether the bridge says that the user exists. It makes the user before it says so. A bridge that does not
    /// answer does not know the user.
    pub async fn has_user(&self, bridge: &Endpoint, user_id: &str) -> bool {
        self.has(bridge, "users", user_id).await
    }

    /// Whether the bridge says that the alias exists. It makes the room before it says so.
    pub async fn has_alias(&self, bridge: &Endpoint, alias: &str) -> bool {
        self.has(bridge, "rooms", alias).await
    }

    async fn has(&self, bridge: &Endpoint, what: &str, name: &str) -> bool {
        let url = format!("{}/_matrix/app/v1/{what}/{}", bridge.url, encoded(name));
        let request = request(bridge, "GET", url, None);
        self.outgoing.send(request).await.is_ok_and(|answer| answer.status == 200)
    }

    /// Pings the bridge. Returns its answer, and how long it took.
    pub(crate) async fn ping(
        &self,
        bridge: &Endpoint,
        transaction_id: Option<&str>,
    ) -> (Result<OutgoingAnswer, OutgoingError>, Duration) {
        let url = format!("{}/_matrix/app/v1/ping", bridge.url);
        let mut body = serde_json::Map::new();
        if let Some(id) = transaction_id {
            body.insert("transaction_id".to_owned(), id.into());
        }
        let body = serde_json::Value::Object(body).to_string().into_bytes();
        let begun = Instant::now();
        let answer = self.outgoing.send(request(bridge, "POST", url, Some(body))).await;
        (answer, begun.elapsed())
    }
}

fn request(
    bridge: &Endpoint,
    method: &'static str,
    url: String,
    body: Option<Vec<u8>>,
) -> OutgoingRequest {
    OutgoingRequest { method, url, token: bridge.token.clone(), body, timeout: ASK_TIMEOUT }
}

/// A segment of a path.
pub(crate) fn encoded(name: &str) -> String {
    // A plus sign means itself in a path.
    byte_serialize(name.as_bytes()).collect::<String>().replace('+', "%20")
}
