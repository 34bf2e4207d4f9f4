//! The client that sends requests to bridges.
//!
//! **Invariant:** it follows no redirect, uses no proxy, and reads a bounded part of an answer. The address is that of
//! a registration, which the operator wrote.

use std::sync::Arc;

use async_trait::async_trait;

use crate::{Outgoing, OutgoingAnswer, OutgoingError, OutgoingRequest};

/// How much of an answer is read.
const ANSWER_BYTES_MAX: u64 = 64 * 1024;

/// The client for the requests to bridges.
#[must_use]
pub fn client() -> Arc<dyn Outgoing> {
    let agent = ureq::Agent::config_builder()
        .max_redirects(0)
        .max_redirects_will_error(false)
        .http_status_as_error(false)
        .proxy(None)
        // A bridge that was started again has closed them.
        .max_idle_connections(0)
        .build()
        .new_agent();
    Arc::new(Client(agent))
}

struct Client(ureq::Agent);

#[async_trait]
impl Outgoing for Client {
    async fn send(&self, request: OutgoingRequest) -> Result<OutgoingAnswer, OutgoingError> {
        let agent = self.0.clone();
        let sent = tokio::task::spawn_blocking(move || send(&agent, &request)).await;
        sent.unwrap_or_else(|error| Err(OutgoingError::Failed(error.to_string())))
    }
}

fn send(agent: &ureq::Agent, request: &OutgoingRequest) -> Result<OutgoingAnswer, OutgoingError> {
    let authorization = format!("Bearer {}", request.token);
    let built = ureq::http::Request::builder()
        .method(request.method)
        .uri(&request.url)
        .header("Authorization", authorization)
        .header("Content-Type", "application/json")
        .body(request.body.clone().unwrap_or_default())
        .map_err(|error| OutgoingError::Failed(error.to_string()))?;
    let built = agent.configure_request(built).timeout_global(Some(request.timeout)).build();
    let mut answer = agent.run(built).map_err(|error| failed(&error))?;
    let status = answer.status().as_u16();
    let body = answer.body_mut().with_config().limit(ANSWER_BYTES_MAX).read_to_vec();
    Ok(OutgoingAnswer { status, body: body.map_err(|error| failed(&error))? })
}

fn failed(error: &ureq::Error) -> OutgoingError {
    match error {
        ureq::Error::Timeout(_) => OutgoingError::TimedOut,
        error => OutgoingError::Failed(error.to_string()),
    }
}
