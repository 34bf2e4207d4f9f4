//! The port to the client that sends requests to bridges.

use std::{fmt, time::Duration};

use async_trait::async_trait;

/// A request to a bridge.
#[derive(Clone)]
pub struct OutgoingRequest {
    /// `GET`, `POST` or `PUT`.
    pub method: &'static str,
    /// The whole address.
    pub url: String,
    /// The token of the `Authorization` header.
    pub token: String,
    /// The body, which is JSON.
    pub body: Option<Vec<u8>>,
    /// How long the whole exchange may take.
    pub timeout: Duration,
}

impl fmt::Debug for OutgoingRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("OutgoingRequest");
        shown.field("method", &self.method).field("url", &self.url).finish_non_exhaustive()
    }
}

/// The answer of a bridge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutgoingAnswer {
    /// The status.
    pub status: u16,
    /// The body, as far as the client reads it.
    pub body: Vec<u8>,
}

/// There is no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OutgoingError {
    /// The bridge did not answer in time.
    #[error("it did not answer in time")]
    TimedOut,
    /// The bridge cannot be reached, or did not speak HTTP.
    #[error("{0}")]
    Failed(String),
}

/// Sends requests to bridges. The address comes from the operator.
#[async_trait]
pub trait Outgoing: Send + Sync {
    /// Sends a request once and returns the answer, whatever its status is. Follows no redirect.
    ///
    /// # Errors
    /// [`OutgoingError`] if there is no answer.
    async fn send(&self, request: OutgoingRequest) -> Result<OutgoingAnswer, OutgoingError>;
}
