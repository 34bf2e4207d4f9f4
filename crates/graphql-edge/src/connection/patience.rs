//! A connection with a limit on how long its peer may not read. When its session ends, pending data
//! is dropped.
//!
//! **Invariant:** data that is pending when a session ends is never written: the connection is
//! reset, so the kernel drops its unsent data too.

use std::io::{Error, ErrorKind, IoSlice, Result};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use futures_util::FutureExt as _;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Sleep, sleep};

use super::connections::ConnectionPlace;
use super::unsent::Unsent;

/// A connection that can be reset.
pub(crate) trait Reset {
    /// Makes closing a reset: the kernel drops its unsent data (RFC 9293, section 3.10.5).
    fn reset_when_closed(&self);
}

impl Reset for TcpStream {
    fn reset_when_closed(&self) {
        if let Err(error) = socket2::SockRef::from(self).set_linger(Some(Duration::ZERO)) {
            tracing::debug!(%error, "failed to set SO_LINGER");
        }
    }
}

/// Fails when nothing could be written for too long, or when a session with pending answers ends.
pub(crate) struct Patient<S> {
    inner: S,
    /// Freed when the connection ends, in any state.
    place: ConnectionPlace,
    deadline: Duration,
    /// The sessions whose answers are pending.
    unsent: Unsent,
    /// Set while writing waits, which is rare.
    waiting: Option<Pin<Box<Sleep>>>,
    /// Set once writing has ended before the client sent all of a body.
    lingering: Option<Pin<Box<Sleep>>>,
}

/// How long the rest of a body is read and discarded. The kernel resets a connection that is closed
/// with unread data, and then the client may lose the answer (RFC 9112, section 9.6).
const LINGER: Duration = Duration::from_secs(1);

impl<S: Reset> Patient<S> {
    pub(crate) fn new(
        inner: S,
        place: ConnectionPlace,
        deadline: Duration,
        unsent: Unsent,
    ) -> Self {
        Self { inner, place, deadline, unsent, waiting: None, lingering: None }
    }

    /// Drops the pending data.
    fn give_up(&self) -> Error {
        self.inner.reset_when_closed();
        Error::new(
            ErrorKind::ConnectionAborted,
            "the session is over, and its client does not read",
        )
    }

    /// Fails if there is pending data that must not be written any more.
    fn check(&self) -> Result<()> {
        if self.waiting.is_some() && self.unsent.is_over() { Err(self.give_up()) } else { Ok(()) }
    }

    fn wait<T>(&mut self, context: &mut Context<'_>, written: Poll<Result<T>>) -> Poll<Result<T>> {
        if written.is_ready() {
            self.place.0.moves();
            self.waiting = None;
            return written;
        }
        if self.unsent.poll_over(context).is_ready() {
            return Poll::Ready(Err(self.give_up()));
        }
        let deadline = self.deadline;
        let waiting = self.waiting.get_or_insert_with(|| Box::pin(sleep(deadline)));
        if waiting.poll_unpin(context).is_ready() {
            return Poll::Ready(Err(Error::new(ErrorKind::TimedOut, "the peer does not read")));
        }
        Poll::Pending
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Patient<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<Result<()>> {
        let read = Pin::new(&mut self.inner).poll_read(context, buffer);
        if read.is_ready() {
            self.place.0.moves();
        }
        read
    }
}

impl<S: AsyncRead + Unpin> Patient<S> {
    /// Reads the rest of the client's data, until it ends, or for [`LINGER`].
    fn poll_linger(&mut self, context: &mut Context<'_>) -> Poll<Result<()>> {
        let over = self.lingering.get_or_insert_with(|| Box::pin(sleep(LINGER)));
        if over.poll_unpin(context).is_ready() {
            return Poll::Ready(Ok(()));
        }
        let mut bytes = [std::mem::MaybeUninit::uninit(); 4 * 1024];
        let mut buffer = ReadBuf::uninit(&mut bytes);
        loop {
            match Pin::new(&mut self.inner).poll_read(context, &mut buffer) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Ok(())) if !buffer.filled().is_empty() => buffer.clear(),
                Poll::Ready(_) => return Poll::Ready(Ok(())),
            }
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Reset + Unpin> AsyncWrite for Patient<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<Result<usize>> {
        self.check()?;
        let written = Pin::new(&mut self.inner).poll_write(context, bytes);
        self.wait(context, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<Result<usize>> {
        self.check()?;
        let written = Pin::new(&mut self.inner).poll_write_vectored(context, slices);
        self.wait(context, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    /// The layers above flush their buffers before they flush this.
    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<()>> {
        self.unsent.flushed();
        Pin::new(&mut self.inner).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<()>> {
        if self.lingering.is_none() {
            ready!(Pin::new(&mut self.inner).poll_shutdown(context))?;
        }
        if self.place.0.is_owed_body() { self.poll_linger(context) } else { Poll::Ready(Ok(())) }
    }
}
