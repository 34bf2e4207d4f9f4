//! Troubles of a server: it stalls, refuses, lies, or its answers are lost.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use axum::{
    Router,
    body::{Body, Bytes, HttpBody},
    extract::{Request, State},
    http::StatusCode,
    middleware::{Next, from_fn_with_state},
    response::{IntoResponse as _, Response},
};
use http_body_util::BodyExt as _;
use hyper::body::Frame;
use parking_lot::Mutex;
use serde_json::Value;

/// The trouble of a request.
#[derive(Clone, Copy)]
pub(super) enum Trouble {
    None,
    /// It gets no answer.
    Stalls,
    /// It is carried out, and its answer is lost.
    IsLost,
    /// It is refused.
    Refused(u16, &'static str),
    /// Its answer never ends.
    NeverEnds,
    /// Its answer is changed.
    Lies(fn(&mut Value)),
}

type Plan = Arc<dyn Fn(&str) -> Trouble + Send + Sync>;

/// The troubles of a server, and the requests that have come.
#[derive(Default)]
pub(super) struct Troubles {
    plan: Mutex<Option<Plan>>,
    seen: Mutex<Vec<String>>,
    changed: tokio::sync::Notify,
}

impl Troubles {
    /// Lets a plan decide about each path from now on.
    pub(super) fn plan(&self, plan: impl Fn(&str) -> Trouble + Send + Sync + 'static) {
        *self.plan.lock() = Some(Arc::new(plan));
    }

    pub(super) fn end(&self) {
        *self.plan.lock() = None;
    }

    /// How many requests with this text in their path have come.
    pub(super) fn count(&self, part: &str) -> usize {
        self.seen.lock().iter().filter(|path| path.contains(part)).count()
    }

    /// Waits until this many of them have come.
    pub(super) async fn until(&self, part: &str, count: usize) {
        loop {
            let changed = self.changed.notified();
            if self.count(part) >= count {
                return;
            }
            changed.await;
        }
    }
}

/// The router of a server with these troubles.
pub(super) fn troubled(router: Router, troubles: Arc<Troubles>) -> Router {
    router.layer(from_fn_with_state(troubles, interfere))
}

async fn interfere(
    State(troubles): State<Arc<Troubles>>,
    request: Request,
    next: Next,
) -> Response {
    let path = request.uri().path().to_owned();
    let plan = troubles.plan.lock().clone();
    troubles.seen.lock().push(path.clone());
    troubles.changed.notify_waiters();
    match plan.map_or(Trouble::None, |plan| plan(&path)) {
        Trouble::None => next.run(request).await,
        Trouble::Stalls => std::future::pending().await,
        Trouble::IsLost => {
            next.run(request).await;
            std::future::pending().await
        }
        Trouble::Refused(status, code) => {
            let body = serde_json::json!({ "errcode": code, "error": "on purpose" }).to_string();
            (StatusCode::from_u16(status).unwrap(), body).into_response()
        }
        Trouble::NeverEnds => Response::new(Body::new(Endless)),
        Trouble::Lies(lie) => {
            let (head, body) = next.run(request).await.into_parts();
            let body = body.collect().await.unwrap().to_bytes();
            let mut answer: Value = serde_json::from_slice(&body).unwrap();
            lie(&mut answer);
            let mut response = Response::from_parts(head, Body::from(answer.to_string()));
            response.headers_mut().remove("content-length");
            response
        }
    }
}

struct Endless;

impl HttpBody for Endless {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(&[b' '; 8_192])))))
    }
}
