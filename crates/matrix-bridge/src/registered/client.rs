//! The client that sends requests to bridges.
//!
//! **Invariant:** requests go through the guarded client of the server. The address is that of a registration, which
//! the operator wrote, so it may be of this machine.

use std::sync::Arc;

use async_trait::async_trait;
use rookery_outgoing::{
    ANSWER_BYTES_MAX, Client, HeaderMap, HeaderValue, Method, Request, SendError, Target, header,
};

use crate::{Outgoing, OutgoingAnswer, OutgoingError, OutgoingRequest};

/// The requests to bridges, sent by `client`, whose guard has to be that for addresses of the operator.
#[must_use]
pub fn client(client: Arc<Client>) -> Arc<dyn Outgoing> {
    Arc::new(Guarded(client))
}

struct Guarded(Arc<Client>);

#[async_trait]
impl Outgoing for Guarded {
    async fn send(&self, request: OutgoingRequest) -> Result<OutgoingAnswer, OutgoingError> {
        let answer = self.0.send(guarded(request)?).await.map_err(|error| match error {
            SendError::TooSlow => OutgoingError::TimedOut,
            error => failed(error),
        })?;
        Ok(OutgoingAnswer { status: answer.status.as_u16(), body: answer.body.into() })
    }
}

fn guarded(request: OutgoingRequest) -> Result<Request, OutgoingError> {
    let OutgoingRequest { method, url, token, body, timeout } = request;
    let target = Target::parse(&url).map_err(|error| failed(format!("its address {error}")))?;
    let mut authorization = HeaderValue::try_from(format!("Bearer {token}")).map_err(failed)?;
    authorization.set_sensitive(true);
    let mut headers = HeaderMap::new();
    headers.insert(header::AUTHORIZATION, authorization);
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    Ok(Request {
        method: Method::from_bytes(method.as_bytes()).map_err(failed)?,
        target,
        headers,
        body: body.unwrap_or_default().into(),
        time_max: timeout,
        answer_bytes_max: ANSWER_BYTES_MAX,
        server: None,
    })
}

#[expect(clippy::needless_pass_by_value, reason = "it converts errors")]
fn failed(error: impl ToString) -> OutgoingError {
    OutgoingError::Failed(error.to_string())
}
