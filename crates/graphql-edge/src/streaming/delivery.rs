//! A streamed answer: the messages of its operations, while the client reads.
//!
//! **Invariant:** nothing is computed ahead: operations are polled when the connection takes more,
//! and a client that takes nothing for too long is disconnected
//! ([`Patient`](crate::connection::patience::Patient)).
//! **Invariant:** once its session is over, the stream only reports that: the session is checked
//! after a message was made and before it is handed on, so no later event is sent.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, VARY};
use axum::http::{HeaderName, HeaderValue};
use axum::response::Response;
use futures_util::future::BoxFuture;
use futures_util::{FutureExt as _, Stream};
use parking_lot::Mutex;
use rookery_graphql_documents::{Refusal, code};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, Sleep, sleep};

use crate::connection::shutdown::Shutdown;
use crate::http::router::Transport;
use crate::operation::operations::{Operations, Run, Wording};
use crate::port::auth::{Authenticator, SessionEnd};

/// The form of streamed answers.
pub(crate) struct Form {
    pub(crate) content_type: &'static str,
    /// The first bytes, so that proxies and browsers see an answer at once.
    pub(crate) opening: &'static str,
    /// The heartbeat.
    pub(crate) heartbeat: &'static str,
    pub(crate) wording: Wording,
    /// Whether a client needs a message about a shutdown, because it takes a mere end for the end
    /// of the operation.
    pub(crate) tells_shutdown: bool,
}

/// The operations of one answer. Further requests may add some.
pub(crate) struct Line {
    pub(crate) operations: Operations,
    waker: Option<Waker>,
    /// Places for finished results that were not taken yet.
    pub(crate) untaken: Arc<Semaphore>,
}

/// Results that are made before the stream takes them: those of queries and mutations, one for each
/// waiting request.
const UNTAKEN_MAX: usize = 4;

impl Line {
    pub(crate) fn new(form: &'static Form) -> Self {
        let untaken = Arc::new(Semaphore::new(UNTAKEN_MAX));
        Self { operations: Operations::new(&form.wording), waker: None, untaken }
    }

    /// Starts an operation, and wakes the stream.
    pub(crate) fn start(&mut self, id: &str, run: Run) {
        self.operations.start(id, run);
        self.wake();
    }

    /// Cuts an operation, and wakes the stream to drop it.
    pub(crate) fn cut(&mut self, id: &str) {
        self.operations.cut(id);
        self.wake();
    }

    fn wake(&mut self) {
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }
}

/// The end of an answer, beside logout and shutdown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ends {
    /// With its operation.
    WithOperation,
    /// When the client leaves.
    WithClient,
}

/// The body of a streamed answer.
pub(crate) struct Delivery {
    line: Arc<Mutex<Line>>,
    form: &'static Form,
    ends: Ends,
    opened: bool,
    ended: bool,
    heartbeat: Pin<Box<Sleep>>,
    heartbeat_interval: Duration,
    shutdown: BoxFuture<'static, ()>,
    end: Arc<dyn SessionEnd>,
    revoked: BoxFuture<'static, ()>,
    /// Dropped with this: the place among streams, and the connected state.
    _held: (OwnedSemaphorePermit, Box<dyn Send>, Box<dyn Send>),
}

/// Most bytes of one write, before the message that exceeds it.
const WRITE_BYTES: usize = 16 * 1024;

impl Delivery {
    /// An answer to `session`; `held` is dropped with it.
    ///
    /// # Errors
    /// A [`Refusal`] if there are as many streams as there may be.
    pub(crate) fn new<E, A: Authenticator>(
        transport: &Transport<E, A>,
        (session, end): (&A::Session, Arc<dyn SessionEnd>),
        line: Arc<Mutex<Line>>,
        (form, ends): (&'static Form, Ends),
        held: Box<dyn Send>,
    ) -> Result<Self, Refusal> {
        let permit = Arc::clone(&transport.streams).try_acquire_owned().map_err(|_| {
            let message = "The server has as many event streams as it may have; try again later.";
            Refusal::new(code::TOO_MANY_STREAMS, message)
        })?;
        let heartbeat_interval = transport.options.streams.heartbeat_interval;
        let connected = transport.authenticator.connected(session);
        Ok(Self {
            line,
            form,
            ends,
            opened: false,
            ended: false,
            heartbeat: Box::pin(sleep(heartbeat_interval)),
            heartbeat_interval,
            shutdown: requested(transport.shutdown.clone()),
            revoked: transport.ends(session, &end),
            end,
            _held: (permit, connected, held),
        })
    }

    /// The response with this body.
    pub(crate) fn respond(self) -> Response {
        let form = self.form;
        response(form, Body::from_stream(self))
    }

    fn goodbye(&mut self, context: &mut Context<'_>) -> Option<String> {
        let refusal = if self.end.is_over() || self.revoked.poll_unpin(context).is_ready() {
            Some(Refusal::new(
                code::UNAUTHENTICATED,
                "The access token was revoked, or there was none; log in.",
            ))
        } else if self.shutdown.poll_unpin(context).is_ready() {
            let message = "The server restarts; reconnect from your last position.";
            self.form.tells_shutdown.then(|| Refusal::new(code::UNAVAILABLE, message))
        } else {
            return None;
        };
        self.ended = true;
        let mut line = self.line.lock();
        Some(refusal.map_or_else(String::new, |refusal| line.operations.end(&refusal.into())))
    }

    /// The ready messages, up to about [`WRITE_BYTES`].
    fn take(&mut self, context: &mut Context<'_>) -> String {
        let mut text = String::new();
        let mut line = self.line.lock();
        while text.len() < WRITE_BYTES {
            match line.operations.poll(context) {
                Poll::Ready((message, mark)) => {
                    text.push_str(&message);
                    line.operations.handed_over(&mark);
                }
                Poll::Pending => {
                    self.ended = self.ends == Ends::WithOperation && line.operations.len() == 0;
                    break;
                }
            }
        }
        line.waker = Some(context.waker().clone());
        text
    }
}

/// The response of a streamed answer.
pub(crate) fn response(form: &'static Form, body: Body) -> Response {
    let mut response = Response::new(body);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(form.content_type));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store, no-transform"));
    headers.insert(VARY, HeaderValue::from_static("Accept, Accept-Encoding, Origin"));
    // Otherwise nginx keeps it back until its buffer is full.
    let buffering = HeaderName::from_static("x-accel-buffering");
    headers.insert(buffering, HeaderValue::from_static("no"));
    response
}

fn requested(mut shutdown: Shutdown) -> BoxFuture<'static, ()> {
    async move { shutdown.requested().await }.boxed()
}

impl Stream for Delivery {
    type Item = Result<Bytes, std::convert::Infallible>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        if this.ended {
            return Poll::Ready(None);
        }
        let mut text = String::new();
        if !this.opened {
            this.opened = true;
            text.push_str(this.form.opening);
        }
        let message = if let Some(goodbye) = this.goodbye(context) {
            goodbye
        } else {
            let taken = this.take(context);
            if this.end.is_over() { this.goodbye(context).unwrap_or_default() } else { taken }
        };
        text.push_str(&message);
        if text.is_empty() && !this.ended && this.heartbeat.poll_unpin(context).is_ready() {
            text.push_str(this.form.heartbeat);
        }
        if text.is_empty() {
            return if this.ended { Poll::Ready(None) } else { Poll::Pending };
        }
        this.heartbeat.as_mut().reset(Instant::now() + this.heartbeat_interval);
        // The timer has to register the waker for the next time; its result now does not matter.
        let _ = this.heartbeat.poll_unpin(context);
        Poll::Ready(Some(Ok(text.into())))
    }
}
