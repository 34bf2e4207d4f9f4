//! Running operations on a connection: streams of messages that end by themselves or are cut. Sockets, event streams and
//! multipart answers all run their operations here, and differ in the wording of messages.
//!
//! **Invariant:** nothing is computed ahead: a step is taken only when the connection asks for a message.

use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use futures_util::future::BoxFuture;
use futures_util::stream::{AbortHandle, Abortable, BoxStream, SelectAll};
use futures_util::{FutureExt as _, Stream, StreamExt as _};

use super::Transport;
use super::auth::Authenticator;
use super::execute::execute;
use super::frame::{Frame, Frames, Payload};
use super::gate::OperationKind;
use super::outcome::Outcome;
use super::prepare::Prepared;

/// How a transport words the messages of its operations.
pub(super) struct Wording {
    /// A result.
    pub(super) next: fn(id: &str, outcome: &Outcome) -> String,
    /// A result that is JSON already.
    pub(super) next_shared: fn(id: &str, payload: &str) -> String,
    /// Errors that end the operation.
    pub(super) error: fn(id: &str, outcome: &Outcome) -> String,
    /// The end of an operation.
    pub(super) complete: fn(id: &str) -> String,
}

/// An operation that has not been asked for anything yet.
pub(super) enum Run {
    /// A query or a mutation.
    Single(BoxFuture<'static, Outcome>),
    /// A subscription.
    Stream(BoxStream<'static, Frame>),
}

impl Run {
    /// What was prepared, by the executor of `transport`.
    pub(super) fn new<E: Frames, A: Authenticator>(
        transport: &Transport<E, A>,
        prepared: Prepared,
    ) -> Self {
        let executor = transport.executor.clone();
        if prepared.admitted.kind == OperationKind::Subscription {
            let name = prepared.admitted.name.as_deref().unwrap_or("-");
            tracing::debug!(target: "rookery::operation", kind = "subscription", name, "started");
            return Self::Stream(executor.frames(prepared.request));
        }
        let deadline = transport.options.execution_deadline;
        Self::Single(execute(executor, prepared, deadline).boxed())
    }
}

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
    wording: &'static Wording,
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
                return this.step((this.wording.complete)(&this.id), Some(Source::Ended));
            }
            Source::Single(future) => (ready!(future.poll_unpin(context)), true),
            Source::Stream(stream) => match ready!(stream.poll_next_unpin(context)) {
                None => return this.step((this.wording.complete)(&this.id), Some(Source::Ended)),
                Some(Ok(Frame { payload: Payload::Shared(payload), .. })) => {
                    return this.step((this.wording.next_shared)(&this.id, &payload), None);
                }
                Some(Ok(Frame { payload: Payload::Own(response), .. })) => {
                    (Outcome::of_step(*response), false)
                }
                Some(Err(_panic)) => (Outcome::of_panic(), false),
            },
        };
        match outcome {
            Outcome::Executed(_) => {
                let text = (this.wording.next)(&this.id, &outcome);
                this.step(text, single.then_some(Source::Answered))
            }
            Outcome::Invalid(_) | Outcome::Refused(_) => {
                let text = (this.wording.error)(&this.id, &outcome);
                this.step(text, Some(Source::Ended))
            }
        }
    }
}

/// All operations of a connection.
pub(super) struct Operations {
    running: SelectAll<Abortable<Operation>>,
    handles: HashMap<Arc<str>, (u64, AbortHandle)>,
    serial: u64,
    wording: &'static Wording,
}

impl Operations {
    pub(super) fn new(wording: &'static Wording) -> Self {
        Self { running: SelectAll::new(), handles: HashMap::new(), serial: 0, wording }
    }

    /// How many there are, those included that were cut and not yet dropped.
    pub(super) fn len(&self) -> usize {
        self.running.len()
    }

    pub(super) fn contains(&self, id: &str) -> bool {
        self.handles.contains_key(id)
    }

    /// Starts an operation.
    pub(super) fn start(&mut self, id: &str, run: Run) {
        let source = match run {
            Run::Single(outcome) => Source::Single(outcome),
            Run::Stream(frames) => Source::Stream(AssertUnwindSafe(frames).catch_unwind().boxed()),
        };
        let id: Arc<str> = id.into();
        self.serial += 1;
        let (handle, registration) = AbortHandle::new_pair();
        self.handles.insert(id.clone(), (self.serial, handle));
        let operation = Operation { id, serial: self.serial, source, wording: self.wording };
        self.running.push(Abortable::new(operation, registration));
    }

    /// Ends all operations with `outcome`: what there is to say of it.
    pub(super) fn end(&mut self, outcome: &Outcome) -> String {
        self.running.clear();
        self.handles.drain().map(|(id, _)| (self.wording.error)(&id, outcome)).collect()
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
