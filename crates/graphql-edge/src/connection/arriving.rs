//! The arrival of a request's body.
//!
//! **Invariant:** a connection knows whether the client still owes it a part of a body: then the
//! next answer is its last.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::Request;
use hyper::body::{Frame, Incoming, SizeHint};

use super::connections::Connection;

/// A request that reports to `connection` when its body has arrived.
pub(crate) fn arriving(request: hyper::Request<Incoming>, connection: &Arc<Connection>) -> Request {
    if request.body().is_end_stream() {
        connection.works();
        return request.map(Body::new);
    }
    connection.waits();
    connection.owes_body(true);
    request.map(|body| Body::new(Arriving { body, connection: Arc::clone(connection) }))
}

struct Arriving {
    body: Incoming,
    connection: Arc<Connection>,
}

impl HttpBody for Arriving {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(context));
        if frame.is_none() || self.body.is_end_stream() {
            self.connection.owes_body(false);
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
