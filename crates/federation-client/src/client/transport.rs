//! Sends calls: finds the server, signs, sends, and reads the answer.
//!
//! **Invariant:** nothing is sent to a server that an operator excludes, or whose pause has not ended.

use std::{sync::Arc, time::Duration};

use rookery_domain::ServerName;
use rookery_outgoing::{
    Bytes, Client, HeaderMap, HeaderValue, Method, Request, SendError, ServerAtTarget, Target,
    header,
};
use serde::Deserialize;

use super::{Access, Call, Reachability, TransportError};
use crate::{
    clock::Clock,
    discovery::{Discovery, Route},
    own::OwnKeys,
    signing::{Signed, sign_request},
};

/// Sends requests to other servers. Cheap to clone.
#[derive(Clone)]
pub struct Transport(Arc<Shared>);

struct Shared {
    own: Arc<OwnKeys>,
    client: Arc<Client>,
    discovery: Discovery,
    access: Access,
    reachability: Reachability,
    clock: Clock,
}

impl Transport {
    /// Sends requests that are signed with these keys.
    #[must_use]
    pub fn new(
        own: Arc<OwnKeys>,
        client: Arc<Client>,
        discovery: Discovery,
        access: Access,
        reachability: Reachability,
        clock: Clock,
    ) -> Self {
        Self(Arc::new(Shared { own, client, discovery, access, reachability, clock }))
    }

    /// The body of the answer to a call, if its status is 200.
    ///
    /// # Errors
    /// [`TransportError`], which says whether the server answered.
    pub async fn send(&self, server: &ServerName, call: Call) -> Result<Bytes, TransportError> {
        let shared = &*self.0;
        if !shared.access.allows(server) {
            return Err(TransportError::Forbidden(server.to_owned()));
        }
        if !call.is_patient {
            shared.reachability.check(server, (shared.clock)())?;
        }
        let sent = self.exchange(server, call).await;
        match &sent {
            Err(error) if !error.is_answer() => {
                shared.discovery.forget(server);
                shared.reachability.failed(server, error.to_string(), (shared.clock)());
            }
            _ => shared.reachability.is_alive(server),
        }
        sent
    }

    /// A server has shown that it is there.
    pub fn is_alive(&self, server: &ServerName) {
        self.0.reachability.is_alive(server);
    }

    /// The lists of the operator.
    #[must_use]
    pub fn access(&self) -> &Access {
        &self.0.access
    }

    /// Finds the route to a server again, and tells each step.
    pub async fn find(&self, server: &ServerName, tell: &mut (dyn FnMut(String) + Send)) -> Route {
        self.0.discovery.find(server, tell).await.0
    }

    async fn exchange(&self, server: &ServerName, call: Call) -> Result<Bytes, TransportError> {
        let shared = &*self.0;
        let route = shared.discovery.route(server, (shared.clock)()).await;
        let authorization = if call.is_signed {
            let signed = Signed {
                method: call.method,
                uri: &call.path,
                origin: &shared.own.server_name,
                destination: server,
                content: call.content.as_ref(),
            };
            let header = sign_request(&signed, &shared.own.current)
                .map_err(|error| TransportError::Failed(error.to_string()))?;
            Some(header.to_string())
        } else {
            None
        };
        let mut failed = TransportError::Failed("it has no address".to_owned());
        for (host, port) in &route.places {
            let request = request(&call, &route, (host, *port), authorization.as_deref())?;
            match shared.client.send(request).await {
                // Nothing was sent, so the next place may be tried.
                Err(
                    error @ (SendError::NoSuchName { .. }
                    | SendError::Unreachable { .. }
                    | SendError::Tls { .. }
                    | SendError::Refused { .. }),
                ) => failed = error.into(),
                Err(error) => return Err(error.into()),
                Ok(answer) if answer.is_cut => return Err(TransportError::TooLong),
                Ok(answer) if answer.status.as_u16() == 200 => return Ok(answer.body),
                Ok(answer) => return Err(refusal(answer.status.as_u16(), &answer.body)),
            }
        }
        Err(failed)
    }
}

fn request(
    call: &Call,
    route: &Route,
    (host, port): (&str, u16),
    authorization: Option<&str>,
) -> Result<Request, TransportError> {
    let failed = |error: String| TransportError::Failed(error);
    let url = format!("https://{host}:{port}{}", call.path);
    let target = Target::parse(&url).map_err(|error| failed(format!("{url} {error}")))?;
    let mut headers = HeaderMap::new();
    if let Some(authorization) = authorization {
        let value = HeaderValue::try_from(authorization).map_err(|it| failed(it.to_string()))?;
        headers.insert(header::AUTHORIZATION, value);
    }
    let body = match &call.content {
        Some(content) => {
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
            serde_json::to_vec(content).map_err(|error| failed(error.to_string()))?.into()
        }
        None => Bytes::new(),
    };
    Ok(Request {
        method: Method::from_bytes(call.method.as_bytes()).unwrap_or(Method::GET),
        target,
        headers,
        body,
        time_max: call.time_max,
        answer_bytes_max: call.answer_bytes_max,
        server: Some(ServerAtTarget { tls_name: route.tls_name.clone(), host: route.host.clone() }),
    })
}

fn refusal(status: u16, body: &[u8]) -> TransportError {
    #[derive(Default, Deserialize)]
    struct Refusal {
        #[serde(default)]
        errcode: String,
        #[serde(default)]
        error: String,
        retry_after_ms: Option<u64>,
    }
    let refusal: Refusal = serde_json::from_slice(body).unwrap_or_default();
    let short = |text: String| text.chars().take(300).collect();
    TransportError::Status {
        status,
        code: short(refusal.errcode),
        message: short(refusal.error),
        retry_after: refusal.retry_after_ms.map(Duration::from_millis),
    }
}
