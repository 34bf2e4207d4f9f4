//! A connection that counts written bytes, and the bytes read for the next message.
//!
//! **Invariant:** a message has a bounded number of frames: even frames without a payload take
//! bytes.

use std::io::{ErrorKind, IoSlice, Result};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_tungstenite::tungstenite::Message;

/// Counts the bytes that the kernel took, which distinguishes a slow reader from one that does not
/// read. Counts the bytes read since the last message, and reads no more than one may take.
pub(super) struct Metered<C> {
    connection: C,
    written: u64,
    unclaimed_bytes: usize,
    unclaimed_bytes_max: usize,
}

/// The header of a short frame of a client, with its mask (RFC 6455, section 5.2).
const FRAME_HEADER_BYTES: usize = 6;

impl<C> Metered<C> {
    /// Reads at most `message_bytes_max` for each message.
    pub(super) fn new(connection: C, message_bytes_max: usize) -> Self {
        let unclaimed_bytes_max = message_bytes_max;
        Self { connection, written: 0, unclaimed_bytes: 0, unclaimed_bytes_max }
    }

    /// These bytes were read for a message. Control frames may come in the middle of a message, and
    /// are not part of it.
    pub(super) fn came(&mut self, message: &Message) {
        self.unclaimed_bytes = match message {
            Message::Ping(_) | Message::Pong(_) => {
                self.unclaimed_bytes.saturating_sub(FRAME_HEADER_BYTES + message.len())
            }
            _ => 0,
        };
    }

    /// Whether a message would take more bytes than it may.
    pub(super) fn is_exceeded(&self) -> bool {
        self.unclaimed_bytes > self.unclaimed_bytes_max
    }

    /// Bytes that the kernel has taken so far.
    pub(super) fn written(&self) -> u64 {
        self.written
    }

    fn count(&mut self, written: usize) -> usize {
        self.written = self.written.wrapping_add(written as u64);
        written
    }
}

impl<C: AsyncRead + Unpin> AsyncRead for Metered<C> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.connection).poll_read(context, buffer);
        self.unclaimed_bytes += buffer.filled().len() - before;
        if self.is_exceeded() {
            return Poll::Ready(Err(ErrorKind::QuotaExceeded.into()));
        }
        read
    }
}

impl<C: AsyncWrite + Unpin> AsyncWrite for Metered<C> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<Result<usize>> {
        let written = ready!(Pin::new(&mut self.connection).poll_write(context, bytes))?;
        Poll::Ready(Ok(self.count(written)))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<Result<usize>> {
        let written = ready!(Pin::new(&mut self.connection).poll_write_vectored(context, slices))?;
        Poll::Ready(Ok(self.count(written)))
    }

    fn is_write_vectored(&self) -> bool {
        self.connection.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<()>> {
        Pin::new(&mut self.connection).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<()>> {
        Pin::new(&mut self.connection).poll_shutdown(context)
    }
}
