//! The route of incoming webhooks, and its port to the server.
//!
//! **Invariant:** a request is charged to its address before anything is read, and to its webhook before its body is.
//! **Invariant:** a webhook that was revoked while its request arrived posts nothing.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use async_trait::async_trait;
use axum::{
    Extension, Router,
    body::Body,
    extract::{ConnectInfo, Path, State},
    http::{HeaderMap, header},
    routing::post,
};
use futures_util::StreamExt as _;
use rookery_domain::{OwnedRoomId, OwnedUserId};
use tokio::time::timeout;

use super::{
    answer::Answer,
    content::payload::{Mentioning, Message, message},
    rates::{HookRates, Limiter},
};

/// Longest body of a request, in bytes.
pub const BODY_BYTES_MAX: usize = 64 * 1024;

/// How many bytes of a body that is too long are read and discarded, so that the client reads the answer.
const DRAINED_BYTES_MAX: usize = 1024 * 1024;

/// How long a body may take to arrive.
const BODY_TIME_MAX: Duration = Duration::from_secs(10);

/// A form, as a media type.
const FORM: &str = "application/x-www-form-urlencoded";

/// A webhook whose secret a request has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hook {
    /// Its ID.
    pub id: String,
    /// The room.
    pub room_id: OwnedRoomId,
    /// The user as whom it posts.
    pub user_id: OwnedUserId,
    /// The mentions that it may make.
    pub mentioning: Mentioning,
}

/// The server, as far as webhooks need it.
#[async_trait]
pub trait Hooks: Send + Sync {
    /// The webhook with this ID, if `secret` is its secret now.
    ///
    /// # Errors
    /// [`Answer::NoService`], [`Answer::InvalidToken`], or [`Answer::Unavailable`] for a fault.
    fn find(&self, id: &str, secret: &str) -> Result<Hook, Answer>;

    /// Posts a message. [`Answer::Posted`] says that it is durable.
    async fn post(&self, hook: &Hook, message: Message) -> Answer;

    /// The time, in milliseconds since 1970.
    fn now_millis(&self) -> u64;
}

struct Route {
    hooks: Arc<dyn Hooks>,
    limiter: Limiter,
}

/// The route of incoming webhooks.
pub fn router(hooks: Arc<dyn Hooks>, rates: HookRates) -> Router {
    let route = Arc::new(Route { hooks, limiter: Limiter::new(rates) });
    Router::new().route("/hooks/{id}/{secret}", post(take)).with_state(route)
}

async fn take(
    State(route): State<Arc<Route>>,
    client: Option<Extension<ConnectInfo<SocketAddr>>>,
    Path((id, secret)): Path<(String, String)>,
    headers: HeaderMap,
    body: Body,
) -> Answer {
    let unknown = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
    let peer = client.map_or(unknown, |Extension(ConnectInfo(client))| client.ip());
    route.answer(peer, (&id, &secret), &headers, body).await.unwrap_or_else(|refused| refused)
}

impl Route {
    async fn answer(
        &self,
        peer: IpAddr,
        (id, secret): (&str, &str),
        headers: &HeaderMap,
        body: Body,
    ) -> Result<Answer, Answer> {
        let now = self.hooks.now_millis();
        self.limiter.take_of_address(peer, now).map_err(Answer::RateLimited)?;
        let hook = self.hooks.find(id, secret)?;
        self.limiter.take_of_webhook(&hook.id, now).map_err(Answer::RateLimited)?;
        if declared_length(headers).is_some_and(|length| length > DRAINED_BYTES_MAX as u64) {
            return Err(Answer::TooLarge);
        }
        let body = timeout(BODY_TIME_MAX, read(body)).await.map_err(|_| Answer::TooSlow)??;
        let hook = self.hooks.find(&hook.id, secret)?;
        let message = message(&body, is_form(headers), &hook.mentioning)?;
        Ok(self.hooks.post(&hook, message).await)
    }
}

/// The body, if it is short enough.
async fn read(body: Body) -> Result<Vec<u8>, Answer> {
    let mut chunks = body.into_data_stream();
    let (mut collected, mut total) = (Vec::new(), 0_usize);
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(|_| Answer::InvalidPayload)?;
        total = total.saturating_add(chunk.len());
        if total <= BODY_BYTES_MAX {
            collected.extend_from_slice(&chunk);
        }
        if total > DRAINED_BYTES_MAX {
            break;
        }
    }
    if total > BODY_BYTES_MAX { Err(Answer::TooLarge) } else { Ok(collected) }
}

fn declared_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

fn is_form(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let kind = kind.and_then(|kind| kind.split(';').next()).unwrap_or_default();
    kind.trim().eq_ignore_ascii_case(FORM)
}
