//! The wire of one socket: what is read, what waits to be written, and how long it may wait.
//!
//! **Invariant:** no more than twice `queue_bytes_max` and one message wait at a time: beyond the first, operations
//! are not polled; beyond the second, the client is not read.
//! **Invariant:** all that is ready goes out in one write.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::extract::ws::{CloseFrame, Message, WebSocket};
use futures_util::{FutureExt as _, Sink as _, StreamExt as _};
use tokio::time::{Instant, Sleep, sleep, timeout};
use tokio_tungstenite::tungstenite::Error as WireError;

use super::protocol::Close;
use crate::transport::operation::Operations;
use crate::transport::options::SocketOptions;

/// What happened on a socket.
pub(super) enum Event {
    /// The client sent this.
    Message(Message),
    /// A client that does not read, a broken wire, or its end.
    Ended(Close),
    /// Time for a ping, or the end of the time for `connection_init`.
    Timer,
}

/// A WebSocket and its outgoing queue.
pub(super) struct Link {
    socket: WebSocket,
    queue: VecDeque<Message>,
    queued_bytes: usize,
    flushing: bool,
    queue_bytes_max: usize,
    write_deadline: Duration,
    blocked: Option<Pin<Box<Sleep>>>,
    timer: Pin<Box<Sleep>>,
}

impl Link {
    pub(super) fn new(socket: WebSocket, options: &SocketOptions) -> Self {
        Self {
            socket,
            queue: VecDeque::new(),
            queued_bytes: 0,
            flushing: false,
            queue_bytes_max: options.queue_bytes_max,
            write_deadline: options.write_deadline,
            blocked: None,
            timer: Box::pin(sleep(options.init_deadline)),
        }
    }

    /// Whether the client spoke our subprotocol.
    pub(super) fn has_subprotocol(&self) -> bool {
        self.socket.protocol().is_some()
    }

    /// Sets when the next [`Event::Timer`] comes.
    pub(super) fn set_timer(&mut self, after: Duration) {
        self.timer.as_mut().reset(Instant::now() + after);
    }

    /// Queues a message.
    pub(super) fn send(&mut self, message: impl Into<Message>) {
        let message = message.into();
        self.queued_bytes += length(&message);
        self.queue.push_back(message);
    }

    /// Waits for the next event, and meanwhile writes what operations have to say.
    pub(super) async fn event(&mut self, operations: &mut Operations) -> Event {
        poll_fn(|context| self.poll_event(operations, context)).await
    }

    fn poll_event(
        &mut self,
        operations: &mut Operations,
        context: &mut Context<'_>,
    ) -> Poll<Event> {
        if self.timer.poll_unpin(context).is_ready() {
            return Poll::Ready(Event::Timer);
        }
        loop {
            if self.flushing && self.poll_flush(context).is_err() {
                return Poll::Ready(Event::Ended(Close::Gone));
            }
            if let Some(blocked) = &mut self.blocked
                && blocked.poll_unpin(context).is_ready()
            {
                return Poll::Ready(Event::Ended(Close::SlowConsumer));
            }
            if self.queued_bytes < 2 * self.queue_bytes_max
                && let Poll::Ready(read) = self.socket.poll_next_unpin(context)
            {
                return Poll::Ready(match read {
                    Some(Ok(message)) => Event::Message(message),
                    Some(Err(error)) => Event::Ended(explain(error)),
                    None => Event::Ended(Close::Gone),
                });
            }
            while self.queued_bytes < self.queue_bytes_max
                && let Poll::Ready(text) = operations.poll(context)
            {
                self.send(text);
            }
            if self.flushing || self.queue.is_empty() {
                return Poll::Pending;
            }
            if self.poll_write(context).is_err() {
                return Poll::Ready(Event::Ended(Close::Gone));
            }
        }
    }

    /// Hands the queue to the socket's buffer.
    fn poll_write(&mut self, context: &mut Context<'_>) -> Result<(), axum::Error> {
        self.flushing = true;
        while !self.queue.is_empty() {
            match Pin::new(&mut self.socket).poll_ready(context) {
                Poll::Pending => return Ok(()),
                Poll::Ready(ready) => ready?,
            }
            if let Some(message) = self.queue.pop_front() {
                self.queued_bytes -= length(&message);
                Pin::new(&mut self.socket).start_send(message)?;
            }
        }
        Ok(())
    }

    fn poll_flush(&mut self, context: &mut Context<'_>) -> Result<(), axum::Error> {
        match Pin::new(&mut self.socket).poll_flush(context) {
            Poll::Ready(flushed) => {
                flushed?;
                self.flushing = false;
                self.blocked = None;
            }
            Poll::Pending => {
                let deadline = self.write_deadline;
                self.blocked.get_or_insert_with(|| Box::pin(sleep(deadline)));
            }
        }
        Ok(())
    }

    /// Says why, waits for the peer to close for at most `deadline`, and drops the connection.
    pub(super) async fn close(mut self, why: &Close, deadline: Duration) {
        let Some((code, reason)) = why.frame() else { return };
        let reason = reason.into_owned().into();
        let close = Message::Close(Some(CloseFrame { code, reason }));
        let linger = async {
            // What still waits is for the client to ask for again; the reason is what matters now.
            poll_fn(|context| Pin::new(&mut self.socket).poll_ready(context)).await?;
            Pin::new(&mut self.socket).start_send(close)?;
            poll_fn(|context| Pin::new(&mut self.socket).poll_flush(context)).await?;
            if *why == Close::TooLong || *why == Close::NotWebSocket {
                // The rest of the message is unread, so that the kernel resets the connection when it is dropped,
                // and the client needs the time to read the reason.
                std::future::pending::<()>().await;
            }
            while let Some(Ok(_)) = self.socket.next().await {}
            Ok::<(), axum::Error>(())
        };
        let _: Result<_, _> = timeout(deadline, linger).await;
    }
}

fn length(message: &Message) -> usize {
    match message {
        Message::Text(text) => text.len(),
        Message::Binary(bytes) | Message::Ping(bytes) | Message::Pong(bytes) => bytes.len(),
        Message::Close(_) => 0,
    }
}

fn explain(error: axum::Error) -> Close {
    match error.into_inner().downcast_ref::<WireError>() {
        Some(WireError::Capacity(_)) => Close::TooLong,
        Some(WireError::Utf8(_)) => Close::TextNotUtf8,
        Some(WireError::Protocol(error)) if !is_abrupt(error) => Close::NotWebSocket,
        _ => Close::Gone,
    }
}

fn is_abrupt(error: &tokio_tungstenite::tungstenite::error::ProtocolError) -> bool {
    use tokio_tungstenite::tungstenite::error::ProtocolError;
    matches!(error, ProtocolError::ResetWithoutClosingHandshake)
}
