//! A request whose signature holds.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use axum::{
    body::{Body, Bytes, HttpBody as _},
    extract::{ConnectInfo, FromRequest, Request},
    http::{StatusCode, header, request::Parts},
};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use rookery_domain::OwnedServerName;
use ruma_common::CanonicalJsonValue;
use serde::de::DeserializeOwned;

use super::refusal::Refusal;
use crate::{
    admission::{BytesPlace, RequestPlace},
    home::Home,
    signing::{Signed, XMatrix, verify_as_sent, verify_request},
};

/// Longest body of a transaction: its 50 events and 100 messages of at most 64 KiB each.
pub(crate) const TRANSACTION_BYTES_MAX: usize = 10 * 1024 * 1024;

/// Longest body of an invite, with its state.
pub(crate) const INVITE_BYTES_MAX: usize = 1024 * 1024;

/// Longest body of another request: an event with signatures, or a question.
pub(crate) const BODY_BYTES_MAX: usize = 128 * 1024;

/// From this many bytes on a body is parsed and checked in a thread that may take long.
const LONG_BYTES: usize = 32 * 1024;

/// How long a body may take to arrive.
const BODY_TIME_MAX: Duration = Duration::from_secs(30);

/// The server that sent a request, and the body.
pub(super) struct Authenticated {
    pub(super) origin: OwnedServerName,
    pub(super) body: Bytes,
    _bytes: BytesPlace,
    _request: RequestPlace,
}

impl Authenticated {
    /// The body as JSON of this form.
    pub(super) fn json<T: DeserializeOwned>(&self) -> Result<T, Refusal> {
        serde_json::from_slice(&self.body).map_err(|error| {
            Refusal::bad("M_BAD_JSON", format!("the body has another form than expected: {error}"))
        })
    }
}

impl FromRequest<Arc<Home>> for Authenticated {
    type Rejection = Refusal;

    async fn from_request(request: Request, home: &Arc<Home>) -> Result<Self, Refusal> {
        let (head, body) = request.into_parts();
        let header = header(&head, home)?;
        let busy = || Refusal::limited(Duration::from_secs(1));
        let bytes_max = bytes_max(head.uri.path());
        let bytes = body.size_hint().upper().and_then(|bytes| usize::try_from(bytes).ok());
        let bytes = bytes.unwrap_or(bytes_max).min(bytes_max);
        let address = head.extensions.get::<ConnectInfo<SocketAddr>>().map(|peer| peer.0.ip());
        let bytes = home.admission.body(address, bytes).ok_or_else(busy)?;
        let body = read(body, bytes_max).await?;
        let header = verify(&head, header, &body, home).await?;
        let origin = header.origin;
        home.rates.server(&origin, body.len(), home.now())?;
        let request = home.admission.request(&origin).ok_or_else(busy)?;
        home.is_alive(&origin);
        Ok(Self { origin, body, _bytes: bytes, _request: request })
    }
}

/// Most bytes of the body of a request.
fn bytes_max(path: &str) -> usize {
    let is = |begin: &str| path.starts_with(begin);
    if is("/_matrix/federation/v1/send/") {
        TRANSACTION_BYTES_MAX
    } else if is("/_matrix/federation/v1/invite/") || is("/_matrix/federation/v2/invite/") {
        INVITE_BYTES_MAX
    } else {
        BODY_BYTES_MAX
    }
}

/// The header, if it is one of a server that this one talks with.
fn header(head: &Parts, home: &Home) -> Result<XMatrix, Refusal> {
    if let Some(ConnectInfo(peer)) = head.extensions.get::<ConnectInfo<SocketAddr>>() {
        home.rates.address(peer.ip(), home.now())?;
    }
    let mut values = head.headers.get_all(header::AUTHORIZATION).iter();
    let value = values.next().and_then(|value| value.to_str().ok());
    let value = value.ok_or_else(|| {
        Refusal::unauthorized("the request has no header `Authorization` with X-Matrix")
    })?;
    let parsed = XMatrix::parse(value).map_err(|it| Refusal::unauthorized(it.to_string()))?;
    if !parsed.is_for(&home.own.server_name) {
        return Err(Refusal::unauthorized("the request is signed for another server"));
    }
    if parsed.origin == home.own.server_name {
        return Err(Refusal::unauthorized("the request claims to be from this server"));
    }
    if !home.transport.access().allows(&parsed.origin) {
        return Err(Refusal::forbidden("this server does not talk with that one"));
    }
    Ok(parsed)
}

async fn read(body: Body, bytes_max: usize) -> Result<Bytes, Refusal> {
    let collected = tokio::time::timeout(BODY_TIME_MAX, Limited::new(body, bytes_max).collect());
    match collected.await {
        Err(_elapsed) => Err(Refusal::new(
            StatusCode::REQUEST_TIMEOUT,
            "M_UNKNOWN",
            "the body did not arrive in time",
        )),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(Refusal::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "M_TOO_LARGE",
            format!("the body has more than {bytes_max} bytes"),
        )),
        Ok(Err(error)) => Err(Refusal::bad("M_NOT_JSON", format!("the body broke off: {error}"))),
        Ok(Ok(body)) => Ok(body.to_bytes()),
    }
}

async fn verify(
    head: &Parts,
    header: XMatrix,
    body: &Bytes,
    home: &Home,
) -> Result<XMatrix, Refusal> {
    let key = home.keys.key(&header.origin, &header.key, home.now()).await;
    let key = key.map_err(|error| {
        let origin = &header.origin;
        Refusal::unauthorized(format!("the keys of {origin} are not available now: {error}"))
    })?;
    let key = key.ok_or_else(|| {
        let XMatrix { origin, key, .. } = &header;
        Refusal::unauthorized(format!("{origin} has no key {key} that is valid now"))
    })?;
    let uri = head.uri.path_and_query().map_or("/", |uri| uri.as_str()).to_owned();
    let (method, own, body) = (head.method.clone(), home.own.server_name.clone(), body.clone());
    let is_long = body.len() >= LONG_BYTES;
    let check = move || {
        let signed = Signed {
            method: method.as_str(),
            uri: &uri,
            origin: &header.origin,
            destination: &own,
            content: None,
        };
        let as_sent = std::str::from_utf8(&body).ok();
        // Without a destination, the end of the body would not be certain.
        let as_sent = as_sent.filter(|body| !body.is_empty() && header.destination.is_some());
        if as_sent.is_some_and(|body| verify_as_sent(&signed, body, &header, key).is_ok()) {
            return Ok(header);
        }
        let content = content(&body)?;
        let verified =
            verify_request(&Signed { content: content.as_ref(), ..signed }, &header, key);
        let verified = verified.map_err(|error| {
            Refusal::unauthorized(format!("the signature does not hold: {error}"))
        });
        verified.map(|()| header)
    };
    if !is_long {
        return check();
    }
    tokio::task::spawn_blocking(check).await.map_err(|error| Refusal::fault(&error))?
}

/// The content of a body.
fn content(body: &Bytes) -> Result<Option<CanonicalJsonValue>, Refusal> {
    if body.is_empty() {
        return Ok(None);
    }
    let parsed = serde_json::from_slice(body);
    parsed.map(Some).map_err(|error| {
        Refusal::bad("M_NOT_JSON", format!("the body is not canonical JSON: {error}"))
    })
}
