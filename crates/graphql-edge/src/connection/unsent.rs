//! The sessions with pending answers on one connection.
//!
//! An answer is made, then buffered, then passed to the kernel. If the client does not read, the
//! answer stays in the buffer, where no code checks its session. So the connection itself has to
//! know the sessions of its pending answers.
//!
//! **Invariant:** a session is listed from before its answer is buffered until after it is flushed.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::body::{Body, Bytes, HttpBody};
use axum::http::Extensions;
use axum::response::Response;
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use hyper::body::{Frame, SizeHint};
use parking_lot::Mutex;

use crate::port::auth::SessionEnd;

/// The sessions whose answers one connection has not written yet.
#[derive(Clone, Default)]
pub(crate) struct Unsent(Arc<Mutex<Vec<Arc<Reader>>>>);

/// The session of an answer.
struct Reader {
    end: Arc<dyn SessionEnd>,
    /// Created on the first wait: the kernel takes most answers at once.
    over: Mutex<Option<BoxFuture<'static, ()>>>,
}

/// An answer that is not completely buffered. Its session is listed while this exists, and until
/// the next flush.
pub(crate) struct Guard(#[expect(dead_code, reason = "it is counted")] Arc<Reader>);

impl Unsent {
    /// The list of a request's connection, if [`serve`](crate::serve()) accepted it.
    pub(crate) fn of(extensions: &Extensions) -> Option<&Self> {
        extensions.get()
    }

    /// Lists a session.
    pub(crate) fn guard(&self, end: Arc<dyn SessionEnd>) -> Guard {
        let reader = Arc::new(Reader { end, over: Mutex::new(None) });
        self.0.lock().push(Arc::clone(&reader));
        Guard(reader)
    }

    /// Everything in the buffer was written.
    pub(crate) fn flushed(&self) {
        self.0.lock().retain(|reader| Arc::strong_count(reader) > 1);
    }

    /// Whether a session is over.
    pub(crate) fn is_over(&self) -> bool {
        self.0.lock().iter().any(|reader| reader.end.is_over())
    }

    /// Ready once a session is over.
    pub(crate) fn poll_over(&self, context: &mut Context<'_>) -> Poll<()> {
        let readers = self.0.lock();
        let over = readers.iter().any(|reader| {
            let mut over = reader.over.lock();
            let waits = over.get_or_insert_with(|| reader.end.over()).poll_unpin(context);
            // A finished future must not be polled again.
            waits.is_ready() && over.take().is_some()
        });
        if over || readers.iter().any(|reader| reader.end.is_over()) {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    }
}

/// Keeps `guard` until the whole answer is buffered.
pub(crate) fn guarded(response: Response, guard: Guard) -> Response {
    response.map(|body| Body::new(Guarded { body, _guard: guard }))
}

struct Guarded {
    body: Body,
    _guard: Guard,
}

impl HttpBody for Guarded {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use std::future::{pending, poll_fn};
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;

    #[derive(Default)]
    struct Switch(AtomicBool);

    impl SessionEnd for Switch {
        fn is_over(&self) -> bool {
            self.0.load(Ordering::Relaxed)
        }

        fn over(&self) -> BoxFuture<'static, ()> {
            pending().boxed()
        }
    }

    #[tokio::test]
    async fn a_session_counts_until_its_answer_is_buffered_and_flushed() {
        let (unsent, session) = (Unsent::default(), Arc::new(Switch::default()));
        let guard = unsent.guard(session.clone());
        unsent.flushed();
        assert!(!unsent.is_over());
        session.0.store(true, Ordering::Relaxed);
        assert!(unsent.is_over(), "a flush in the middle of an answer is not its end");
        drop(guard);
        assert!(unsent.is_over(), "the end of the answer may still be in the buffer");
        let over = poll_fn(|context| Poll::Ready(unsent.poll_over(context))).await;
        assert!(over.is_ready());
        unsent.flushed();
        assert!(!unsent.is_over());
    }
}
