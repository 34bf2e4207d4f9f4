//! The operations of one socket: streams of messages that end by themselves or are cut.
//!
//! **Invariant:** nothing is computed ahead: a step is taken only when the socket asks for a message.

use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use futures_util::future::BoxFuture;
use futures_util::stream::{AbortHandle, Abortable, BoxStream, SelectAll};
use futures_util::{FutureExt as _, Stream, StreamExt as _};

use super::protocol;
use crate::transport::frame::{Frame, Payload};
use crate::transport::outcome::Outcome;

/// A message of an operation.
struct Step {
    id: Arc<str>,
    /// Tells operations apart that had the same ID one after the other.
    serial: u64,
    text: String,
    last: bool,
}

enum Source {
    Single(BoxFuture<'static, Outcome>),
    Stream(BoxStream<'static, std::thread::Result<Frame>>),
    Answered,
    Ended,
}

struct Operation {
    id: Arc<str>,
    serial: u64,
    source: Source,
}

impl Operation {
    fn step(&mut self, text: String, then: Option<Source>) -> Poll<Option<Step>> {
        let last = matches!(then, Some(Source::Ended));
        if let Some(source) = then {
            self.source = source;
        }
        Poll::Ready(Some(Step { id: self.id.clone(), serial: self.serial, text, last }))
    }
}

impl Stream for Operation {
    type Item = Step;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Step>> {
        let this = &mut *self;
        let (outcome, single) = match &mut this.source {
            Source::Ended => return Poll::Ready(None),
            Source::Answered => {
                return this.step(protocol::complete(&this.id), Some(Source::Ended));
            }
            Source::Single(future) => (ready!(future.poll_unpin(context)), true),
            Source::Stream(stream) => match ready!(stream.poll_next_unpin(context)) {
                None => return this.step(protocol::complete(&this.id), Some(Source::Ended)),
                Some(Ok(Frame { payload: Payload::Shared(payload), .. })) => {
                    return this.step(protocol::next_shared(&this.id, &payload), None);
                }
                Some(Ok(Frame { payload: Payload::Own(response), .. })) => {
                    (Outcome::of_step(*response), false)
                }
                Some(Err(_panic)) => (Outcome::of_panic(), false),
            },
        };
        match outcome {
            Outcome::Executed(_) => {
                let text = protocol::next(&this.id, &outcome);
                this.step(text, single.then_some(Source::Answered))
            }
            Outcome::Invalid(_) | Outcome::Refused(_) => {
                let text = protocol::error(&this.id, &outcome);
                this.step(text, Some(Source::Ended))
            }
        }
    }
}

/// All operations of a socket.
#[derive(Default)]
pub(super) struct Operations {
    running: SelectAll<Abortable<Operation>>,
    handles: HashMap<Arc<str>, (u64, AbortHandle)>,
    serial: u64,
}

impl Operations {
    /// How many there are, those included that were cut and not yet dropped.
    pub(super) fn len(&self) -> usize {
        self.running.len()
    }

    pub(super) fn contains(&self, id: &str) -> bool {
        self.handles.contains_key(id)
    }

    /// Starts a query or a mutation.
    pub(super) fn start_single(&mut self, id: &str, outcome: BoxFuture<'static, Outcome>) {
        self.start(id, Source::Single(outcome));
    }

    /// Starts a subscription.
    pub(super) fn start_stream(&mut self, id: &str, frames: BoxStream<'static, Frame>) {
        let guarded = AssertUnwindSafe(frames).catch_unwind().boxed();
        self.start(id, Source::Stream(guarded));
    }

    fn start(&mut self, id: &str, source: Source) {
        let id: Arc<str> = id.into();
        self.serial += 1;
        let (handle, registration) = AbortHandle::new_pair();
        self.handles.insert(id.clone(), (self.serial, handle));
        let operation = Operation { id, serial: self.serial, source };
        self.running.push(Abortable::new(operation, registration));
    }

    /// Cuts an operation; its stream is dropped when operations are next polled.
    pub(super) fn cut(&mut self, id: &str) {
        if let Some((_, handle)) = self.handles.remove(id) {
            handle.abort();
        }
    }

    /// The next message of any operation. Pending also if there is none.
    pub(super) fn poll(&mut self, context: &mut Context<'_>) -> Poll<String> {
        match self.running.poll_next_unpin(context) {
            Poll::Ready(Some(step)) => {
                let current =
                    self.handles.get(&step.id).is_some_and(|(serial, _)| *serial == step.serial);
                if step.last && current {
                    self.handles.remove(&step.id);
                }
                Poll::Ready(step.text)
            }
            Poll::Ready(None) | Poll::Pending => Poll::Pending,
        }
    }
}
