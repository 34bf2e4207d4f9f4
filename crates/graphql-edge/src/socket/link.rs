//! The wire of one socket: reading, pending messages, and their time limits.
//!
//! **Invariant:** at most twice `queue_bytes_max` and one message are pending. Beyond
//! `queue_bytes_max`, operations are not polled; beyond twice that, the client is not read.
//! **Invariant:** the session is checked after a message was made and before it is handed on, so
//! nothing that was made after its end is written.
//! **Invariant:** ready messages are written together, in writes of at least
//! [`FRAME_BYTES_MAX`](super::outgoing::FRAME_BYTES_MAX) or of all of them.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::{FutureExt as _, Sink as _, StreamExt as _};
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use tokio::time::{Instant, Sleep, sleep, timeout};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::error::ProtocolError;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::{Error as WireError, Message};

use super::meter::Metered;
use super::outgoing::Outgoing;
use super::patience::Patience;
use super::protocol::Close;
use super::subprotocol::Subprotocol;
use crate::operation::operations::{Mark, Operations};
use crate::port::auth::SessionEnd;
use crate::port::options::SocketOptions;

/// An event on a socket.
pub(super) enum Event {
    /// A message of the client.
    Message(Message),
    /// A client that does not read, a broken wire, or its end.
    Ended(Close),
    /// Time for a ping, or the end of the time for `connection_init`.
    Timer,
}

/// The WebSocket itself.
type Socket = WebSocketStream<Metered<TokioIo<Upgraded>>>;

/// A pending message, with the progress of its operation.
struct Queued {
    outgoing: Outgoing,
    len_bytes: usize,
    mark: Option<Mark>,
}

/// A WebSocket and its outgoing queue.
pub(super) struct Link {
    socket: Socket,
    subprotocol: Subprotocol,
    queue: VecDeque<Queued>,
    queued_bytes: usize,
    flushing: bool,
    queue_bytes_max: usize,
    patience: Patience,
    timer: Pin<Box<Sleep>>,
    end: Option<Arc<dyn SessionEnd>>,
}

impl Link {
    pub(super) fn new(socket: Socket, subprotocol: Subprotocol, options: &SocketOptions) -> Self {
        Self {
            socket,
            subprotocol,
            queue: VecDeque::new(),
            queued_bytes: 0,
            flushing: false,
            queue_bytes_max: options.queue_bytes_max,
            patience: Patience::new(options.write_deadline),
            timer: Box::pin(sleep(options.init_deadline)),
            end: None,
        }
    }

    /// Writes messages only until this session is over.
    pub(super) fn end_with(&mut self, end: Arc<dyn SessionEnd>) {
        self.end = Some(end);
    }

    fn is_over(&self) -> bool {
        self.end.as_ref().is_some_and(|end| end.is_over())
    }

    /// The subprotocol of the client.
    pub(super) fn subprotocol(&self) -> Subprotocol {
        self.subprotocol
    }

    /// Sets when the next [`Event::Timer`] comes.
    pub(super) fn set_timer(&mut self, after: Duration) {
        self.timer.as_mut().reset(Instant::now() + after);
    }

    /// Queues a message.
    pub(super) fn send(&mut self, message: impl Into<Message>) {
        self.queue(message.into(), None);
    }

    fn queue(&mut self, message: Message, mark: Option<Mark>) {
        let len_bytes = message.len();
        self.queued_bytes += len_bytes;
        self.queue.push_back(Queued { outgoing: message.into(), len_bytes, mark });
    }

    /// Waits for the next event, and writes messages of operations meanwhile.
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
            if self.patience.poll_over(context).is_ready() {
                return Poll::Ready(Event::Ended(Close::SlowConsumer(operations.resume_from())));
            }
            if self.queued_bytes < 2 * self.queue_bytes_max
                && let Poll::Ready(read) = self.socket.poll_next_unpin(context)
            {
                return Poll::Ready(match read {
                    Some(Ok(message)) => {
                        self.socket.get_mut().came(&message);
                        Event::Message(message)
                    }
                    Some(Err(_)) if self.socket.get_ref().is_exceeded() => {
                        Event::Ended(Close::TooLong)
                    }
                    Some(Err(error)) => Event::Ended(explain(&error)),
                    None => Event::Ended(Close::Gone),
                });
            }
            while self.queued_bytes < self.queue_bytes_max
                && let Poll::Ready((text, mark)) = operations.poll(context)
            {
                self.queue(text.into(), Some(mark));
            }
            if self.flushing || self.queue.is_empty() {
                return Poll::Pending;
            }
            if let Err(why) = self.poll_write(operations, context) {
                return Poll::Ready(Event::Ended(why));
            }
        }
    }

    /// Passes the queue to the socket's buffer.
    fn poll_write(
        &mut self,
        operations: &mut Operations,
        context: &mut Context<'_>,
    ) -> Result<(), Close> {
        self.flushing = true;
        while !self.queue.is_empty() {
            match Pin::new(&mut self.socket).poll_ready(context) {
                Poll::Pending => return Ok(()),
                Poll::Ready(ready) => ready.map_err(|_| Close::Gone)?,
            }
            if self.is_over() {
                return Err(Close::Revoked);
            }
            let Some(Queued { outgoing, len_bytes, mark }) = self.queue.pop_front() else { break };
            let (frame, rest) = outgoing.next_frame();
            Pin::new(&mut self.socket).start_send(frame).map_err(|_| Close::Gone)?;
            if let Some(outgoing) = rest {
                self.queue.push_front(Queued { outgoing, len_bytes, mark });
                continue;
            }
            self.queued_bytes -= len_bytes;
            // From here on only the end of the connection can keep it from the client.
            if let Some(mark) = &mark {
                operations.handed_over(mark);
            }
        }
        Ok(())
    }

    fn poll_flush(&mut self, context: &mut Context<'_>) -> Result<(), WireError> {
        match Pin::new(&mut self.socket).poll_flush(context) {
            Poll::Ready(flushed) => {
                flushed?;
                self.flushing = false;
                self.patience.rest();
            }
            Poll::Pending => self.patience.wait(self.socket.get_ref().written()),
        }
        Ok(())
    }

    /// Sends the reason with `frame`, waits up to `deadline` for the peer to close, and drops the
    /// connection.
    ///
    /// A peer that closed gets the closing frame that the library has prepared (RFC 6455, section
    /// 5.5.1).
    pub(super) async fn close(
        mut self,
        why: &Close,
        frame: Option<(u16, Cow<'static, str>)>,
        deadline: Duration,
    ) {
        if *why == Close::ByPeer {
            let answered = poll_fn(|context| Pin::new(&mut self.socket).poll_flush(context));
            let _: Result<_, _> = timeout(deadline, answered).await;
            return;
        }
        let Some((code, reason)) = frame else { return };
        let reason = reason.into_owned().into();
        let close = Message::Close(Some(CloseFrame { code: code.into(), reason }));
        // The client can ask for the pending messages again. The reason matters now, and it may
        // take long to send.
        self.queue = VecDeque::new();
        let linger = async {
            poll_fn(|context| Pin::new(&mut self.socket).poll_ready(context)).await?;
            if let Some(message) = why.last_message() {
                Pin::new(&mut self.socket).start_send(message.into())?;
            }
            Pin::new(&mut self.socket).start_send(close)?;
            poll_fn(|context| Pin::new(&mut self.socket).poll_flush(context)).await?;
            if *why == Close::TooLong || *why == Close::NotWebSocket {
                // The rest of the message is unread, so the kernel resets the connection when it is
                // dropped. The client needs time to read the reason before that.
                std::future::pending::<()>().await;
            }
            while let Some(Ok(_)) = self.socket.next().await {}
            Ok::<(), WireError>(())
        };
        let _: Result<_, _> = timeout(deadline, linger).await;
    }
}

fn explain(error: &WireError) -> Close {
    match error {
        WireError::Capacity(_) => Close::TooLong,
        WireError::Utf8(_) => Close::TextNotUtf8,
        WireError::Protocol(error) if *error != ProtocolError::ResetWithoutClosingHandshake => {
            Close::NotWebSocket
        }
        _ => Close::Gone,
    }
}
