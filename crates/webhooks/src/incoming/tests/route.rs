//! The route, in front of webhooks in memory.
#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use axum::{
    body::{Body, Bytes, to_bytes},
    http::{Request, Response},
};
use parking_lot::Mutex;
use rookery_rates::Pace;
use tower_service::Service as _;

use crate::{Answer, BODY_BYTES_MAX, Hook, HookRates, Hooks, Mentioning, Message, router};

/// One webhook, `one` with the secret `secret`.
#[derive(Default)]
struct InMemory {
    posted: Mutex<Vec<String>>,
    now: AtomicU64,
    /// The webhook is revoked after it was found this many times, if that is not 0.
    revoked_after: usize,
    found: AtomicUsize,
}

#[async_trait]
impl Hooks for InMemory {
    fn find(&self, id: &str, secret: &str) -> Result<Hook, Answer> {
        let found = self.found.fetch_add(1, Ordering::Relaxed);
        let is_revoked = self.revoked_after > 0 && found >= self.revoked_after;
        match (id, secret) {
            ("one", "secret") if !is_revoked => Ok(Hook {
                id: id.to_owned(),
                room_id: "!room:example.org".try_into().unwrap(),
                user_id: "@hook.one:example.org".try_into().unwrap(),
                mentioning: Mentioning::Never,
            }),
            ("one", _) => Err(Answer::InvalidToken),
            _ => Err(Answer::NoService),
        }
    }

    async fn post(&self, _hook: &Hook, message: Message) -> Answer {
        self.posted.lock().push(message.body);
        Answer::Posted
    }

    fn now_millis(&self) -> u64 {
        self.now.load(Ordering::Relaxed)
    }
}

const SLOW: Pace = Pace { burst: 2, interval: Duration::from_secs(20) };

struct Server {
    hooks: Arc<InMemory>,
    router: axum::Router,
}

impl Server {
    fn new(hooks: InMemory, rates: HookRates) -> Self {
        let hooks = Arc::new(hooks);
        Self { router: router(hooks.clone(), rates), hooks }
    }

    async fn response(&mut self, request: Request<Body>) -> Response<Body> {
        self.router.call(request).await.unwrap()
    }

    /// Posts JSON, and returns status and text.
    async fn post(&mut self, path: &str, body: impl Into<Body>) -> (u16, String) {
        let request = Request::post(path).header("content-type", "application/json");
        let response = self.response(request.body(body.into()).unwrap()).await;
        let status = response.status().as_u16();
        let text = to_bytes(response.into_body(), 1_000).await.unwrap();
        (status, String::from_utf8(text.into()).unwrap())
    }
}

fn answer(status: u16, text: &str) -> (u16, String) {
    (status, text.to_owned())
}

const GOOD: &str = r#"{"text":"hello"}"#;

#[tokio::test]
async fn requests_are_answered_as_by_slack() {
    let mut server = Server::new(InMemory::default(), HookRates::default());
    assert_eq!(server.post("/hooks/one/secret", GOOD).await, answer(200, "ok"));
    assert_eq!(server.post("/hooks/one/other", GOOD).await, answer(403, "invalid_token"));
    assert_eq!(server.post("/hooks/two/secret", GOOD).await, answer(404, "no_service"));
    assert_eq!(server.post("/hooks/one/secret", "{").await, answer(400, "invalid_payload"));
    assert_eq!(server.post("/hooks/one/secret", "{}").await, answer(400, "no_text"));
    let form = Request::post("/hooks/one/secret")
        .header("content-type", "application/x-www-form-urlencoded; charset=utf-8")
        .body(Body::from("payload=%7B%22text%22%3A%22form%22%7D"));
    assert_eq!(server.response(form.unwrap()).await.status(), 200);
    let get = Request::get("/hooks/one/secret").body(Body::empty()).unwrap();
    assert_eq!(server.response(get).await.status(), 405);
    assert_eq!(*server.hooks.posted.lock(), ["hello", "form"]);
}

#[tokio::test]
async fn a_body_that_is_too_long_is_refused_with_and_without_a_declared_length() {
    let mut server = Server::new(InMemory::default(), HookRates::default());
    let long = |length: usize| format!("{{\"text\":\"{}\"}}", "x".repeat(length - 11));
    assert_eq!(server.post("/hooks/one/secret", long(BODY_BYTES_MAX)).await, answer(200, "ok"));
    let too_long = long(BODY_BYTES_MAX + 1);
    let refused = answer(413, "payload_too_large");
    assert_eq!(server.post("/hooks/one/secret", too_long).await, refused);
    let declared = Request::post("/hooks/one/secret").header("content-length", 2_000_000);
    let declared = declared.body(Body::from(Bytes::new())).unwrap();
    assert_eq!(server.response(declared).await.status(), 413, "its body is not read");
    assert_eq!(server.hooks.posted.lock().len(), 1);
}

#[tokio::test]
async fn a_webhook_has_a_rate_that_strangers_cannot_use_up() {
    let rates = HookRates { webhook: Some(SLOW), address: None };
    let mut server = Server::new(InMemory::default(), rates);
    for _ in 0..10 {
        assert_eq!(server.post("/hooks/one/guess", GOOD).await.0, 403);
    }
    for _ in 0..2 {
        assert_eq!(server.post("/hooks/one/secret", GOOD).await.0, 200);
    }
    let request = Request::post("/hooks/one/secret").body(Body::from(GOOD)).unwrap();
    let response = server.response(request).await;
    assert_eq!(
        (response.status().as_u16(), &response.headers()["retry-after"]),
        (429, &"20".parse().unwrap())
    );
    server.hooks.now.store(20_000, Ordering::Relaxed);
    assert_eq!(server.post("/hooks/one/secret", GOOD).await.0, 200);
}

#[tokio::test]
async fn an_address_has_a_rate_for_guesses() {
    let rates = HookRates { webhook: None, address: Some(SLOW) };
    let mut server = Server::new(InMemory::default(), rates);
    assert_eq!(server.post("/hooks/one/guess", GOOD).await.0, 403);
    assert_eq!(server.post("/hooks/none/guess", GOOD).await.0, 404);
    assert_eq!(server.post("/hooks/one/secret", GOOD).await, answer(429, "rate_limited"));
    assert_eq!(server.hooks.found.load(Ordering::Relaxed), 2, "nothing is looked up beyond it");
}

#[tokio::test]
async fn a_webhook_that_is_revoked_while_its_request_arrives_posts_nothing() {
    let hooks = InMemory { revoked_after: 1, ..InMemory::default() };
    let mut server = Server::new(hooks, HookRates::default());
    assert_eq!(server.post("/hooks/one/secret", GOOD).await, answer(403, "invalid_token"));
    assert!(server.hooks.posted.lock().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_body_that_does_not_arrive_is_waited_for_ten_seconds() {
    let mut server = Server::new(InMemory::default(), HookRates::default());
    let silent = futures_util::stream::pending::<Result<Bytes, std::io::Error>>();
    let answered = server.post("/hooks/one/secret", Body::from_stream(silent)).await;
    assert_eq!(answered, answer(408, "request_timeout"));
}
