//! Runs operations on a connection, as streams of messages that end or are cut. Sockets, event
//! streams and multipart answers all run their operations here, and differ in the form of messages.
//!
//! An operation is polled only while its connection has room for a message. It may stay unpolled
//! while the client does not read, so it holds nothing that others wait for. Queries, mutations and
//! reads of the log run in tasks of their own, and their results wait in the handles.
//!
//! **Invariant:** a step that began continues to its end, whether or not the client reads.
//! **Invariant:** at most one message of each operation is computed ahead, and for a connection
//! only as many as it has places ([`Untaken`]).

use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use futures_util::future::BoxFuture;
use futures_util::stream::{AbortHandle, Abortable, BoxStream, SelectAll};
use futures_util::{FutureExt as _, Stream, StreamExt as _};
use rookery_graphql_documents::{OperationKind, Outcome};
use rookery_work::{Task, unburdened};
use tokio::task::{JoinHandle, spawn_blocking};

use super::execute::execute;
use super::prepare::Prepared;
use crate::http::router::Transport;
use crate::limits::budget::{Budget, Held, run_stream};
use crate::limits::untaken::Untaken;
use crate::port::auth::Authenticator;
use crate::port::bookmark::{Bookmark, ResumePoint};
use crate::port::frame::{Frame, Frames, Payload};

/// The form of a transport's messages.
pub(crate) struct Wording {
    /// A result.
    pub(crate) next: fn(id: &str, outcome: &Outcome) -> String,
    /// A result that is JSON already.
    pub(crate) next_shared: fn(id: &str, payload: &str) -> String,
    /// Errors that end the operation.
    pub(crate) error: fn(id: &str, outcome: &Outcome) -> String,
    /// The end of an operation.
    pub(crate) complete: fn(id: &str) -> String,
}

/// An operation before its first poll.
pub(crate) enum Run {
    /// A query or a mutation, and the budget of its answer.
    Single(BoxFuture<'static, Outcome>, Budget),
    /// A subscription.
    Stream(BoxStream<'static, Frame>, Bookmark),
}

impl Run {
    /// The prepared operation on the executor of `transport`, for the connection with the places of
    /// `untaken`.
    pub(crate) fn new<E: Frames, A: Authenticator>(
        transport: &Transport<E, A>,
        prepared: Prepared,
        untaken: &Untaken,
    ) -> Self {
        let executor = transport.executor.clone();
        let mut prepared = prepared;
        prepared.budget.taken_by(untaken.taker());
        if prepared.admitted.kind == OperationKind::Subscription {
            let name = prepared.admitted.name.as_deref().unwrap_or("-");
            tracing::debug!(target: "rookery::operation", kind = "subscription", name, "started");
            let bookmark = Bookmark::default();
            let request = prepared.request.data(bookmark.clone()).data(untaken.clone());
            let (holding, mut verdict) = (prepared.subscription.take(), prepared.verdict.take());
            let frames = executor.frames(request).inspect(move |frame| {
                let _held = &holding;
                if let Some(verdict) = verdict.take() {
                    if frame.is_invalid() { verdict.fine() } else { verdict.keep() }
                }
            });
            return Self::Stream(run_stream(&prepared.budget, frames), bookmark);
        }
        let how = (transport.options.execution_deadline, transport.options.to_learn);
        let (kind, budget) = (prepared.admitted.kind, prepared.budget.clone());
        let outcome = execute(executor, prepared, how);
        if kind == OperationKind::Mutation {
            // It runs in a task of its own already, because it has to end whatever happens to its
            // caller.
            return Self::Single(outcome.boxed(), budget);
        }
        let untaken = untaken.clone();
        let query = async move {
            let _place = untaken.place().await;
            Task::start(outcome).await
        };
        Self::Single(query.boxed(), budget)
    }
}

/// The progress of an operation once the client has the message of this mark.
pub(crate) struct Mark {
    id: Arc<str>,
    /// Distinguishes consecutive operations with the same ID.
    serial: u64,
    position: Option<ResumePoint>,
    last: bool,
}

/// A message of an operation.
struct Step {
    text: String,
    mark: Mark,
}

enum Source {
    Single(BoxFuture<'static, Outcome>, Budget),
    Stream(BoxStream<'static, std::thread::Result<Frame>>, Bookmark),
    /// Its answer holds its room until the connection asks for more, which it does after sending
    /// most of it.
    Answered(#[expect(dead_code, reason = "it is given back when it is dropped")] Held),
    Ended,
}

struct Operation {
    id: Arc<str>,
    serial: u64,
    source: Source,
    wording: &'static Wording,
    /// The end of the last frame.
    reached: Option<ResumePoint>,
    /// The last frame holds its room until the connection asks for more.
    held: Held,
    /// The message of a long answer, and its budget if that is the only answer.
    writing: Option<(JoinHandle<String>, Option<Budget>)>,
}

/// Longer answers are written outside the runtime's threads, so that others do not wait.
pub(crate) const WRITTEN_HERE_BYTES_MAX: usize = 256 * 1024;

impl Operation {
    fn step(&mut self, text: String, then: Option<Source>) -> Poll<Option<Step>> {
        let last = matches!(then, Some(Source::Ended));
        if let Some(source) = then {
            self.source = source;
        }
        let mark = Mark { id: self.id.clone(), serial: self.serial, position: self.reached, last };
        Poll::Ready(Some(Step { text, mark }))
    }

    fn answer(&mut self, text: String, budget: Option<Budget>) -> Poll<Option<Step>> {
        self.held.resize(text.len());
        let answered = budget.map(|budget| Source::Answered(budget.held(text.len())));
        self.step(text, answered)
    }

    fn poll_step(&mut self, context: &mut Context<'_>) -> Poll<Option<Step>> {
        if let Some((writing, _)) = &mut self.writing {
            let written = ready!(writing.poll_unpin(context));
            let budget = self.writing.take().and_then(|(_, budget)| budget);
            let failed = |error| (self.wording.next)(&self.id, &Outcome::of_panic(&error));
            return self.answer(written.unwrap_or_else(failed), budget);
        }
        self.held = Held::default();
        let (outcome, budget) = match &mut self.source {
            Source::Ended => return Poll::Ready(None),
            Source::Answered(_) => {
                return self.step((self.wording.complete)(&self.id), Some(Source::Ended));
            }
            Source::Single(future, budget) => {
                (ready!(future.poll_unpin(context)), Some(budget.clone()))
            }
            Source::Stream(stream, bookmark) => match ready!(stream.poll_next_unpin(context)) {
                None => return self.step((self.wording.complete)(&self.id), Some(Source::Ended)),
                Some(Ok(Frame { payload, resume, held })) => {
                    self.reached = resume.or_else(|| bookmark.reached());
                    self.held = held;
                    match payload {
                        Payload::Shared(payload) => {
                            return self.step((self.wording.next_shared)(&self.id, &payload), None);
                        }
                        Payload::Own(response) => (Outcome::of_step(*response), None),
                    }
                }
                Some(Err(panic)) => (Outcome::of_panic(&*panic), None),
            },
        };
        match outcome {
            Outcome::Executed(_) => {
                let bytes = budget.as_ref().map_or_else(|| self.held.bytes(), Budget::taken_bytes);
                let (id, wording) = (self.id.clone(), self.wording);
                let write = move || (wording.next)(&id, &outcome);
                if bytes <= WRITTEN_HERE_BYTES_MAX {
                    return self.answer(write(), budget);
                }
                self.writing = Some((spawn_blocking(write), budget));
                self.poll_step(context)
            }
            Outcome::Invalid(_) | Outcome::Refused(_) => {
                let text = (self.wording.error)(&self.id, &outcome);
                self.step(text, Some(Source::Ended))
            }
        }
    }
}

impl Stream for Operation {
    type Item = Step;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Step>> {
        self.poll_step(context)
    }
}

/// An operation of a socket.
struct Running {
    serial: u64,
    handle: AbortHandle,
    progress: Progress,
}

/// The part of an operation's messages that the client will certainly get.
enum Progress {
    /// Nothing can be resumed: it is a query or a mutation.
    None,
    /// Nothing was handed over yet. It resumes from its beginning, or starts if it has not.
    Begun(Bookmark),
    /// Some messages were, up to an unknown place.
    Unknown,
    /// All messages up to this place.
    Until(ResumePoint),
}

impl Progress {
    /// The place to resume from. `Err` if it is not known.
    fn resume_from(&self) -> Result<Option<ResumePoint>, ()> {
        match self {
            Self::None => Ok(None),
            Self::Begun(bookmark) => Ok(bookmark.begun()),
            Self::Unknown => Err(()),
            Self::Until(position) => Ok(Some(*position)),
        }
    }
}

/// All operations of a connection.
pub(crate) struct Operations {
    running: SelectAll<Abortable<Operation>>,
    known: HashMap<Arc<str>, Running>,
    serial: u64,
    wording: &'static Wording,
    untaken: Untaken,
}

impl Operations {
    pub(crate) fn new(wording: &'static Wording) -> Self {
        let (running, known, untaken) = (SelectAll::new(), HashMap::new(), Untaken::default());
        Self { running, known, serial: 0, wording, untaken }
    }

    /// The places for answers that the connection has not taken.
    pub(crate) fn untaken(&self) -> &Untaken {
        &self.untaken
    }

    /// How many operations there are, with those that were cut and not yet dropped.
    pub(crate) fn len(&self) -> usize {
        self.running.len()
    }

    pub(crate) fn contains(&self, id: &str) -> bool {
        self.known.contains_key(id)
    }

    /// Starts an operation.
    pub(crate) fn start(&mut self, id: &str, run: Run) {
        let (source, progress) = match run {
            Run::Single(outcome, budget) => (Source::Single(outcome, budget), Progress::None),
            Run::Stream(frames, bookmark) => {
                let progress = Progress::Begun(bookmark.clone());
                let frames = unburdened("a subscription", frames);
                let guarded = AssertUnwindSafe(frames).catch_unwind().boxed();
                (Source::Stream(guarded, bookmark), progress)
            }
        };
        let id: Arc<str> = id.into();
        self.serial += 1;
        let (handle, registration) = AbortHandle::new_pair();
        let (serial, wording) = (self.serial, self.wording);
        self.known.insert(id.clone(), Running { serial, handle, progress });
        let (reached, held) = (None, Held::default());
        let writing = None;
        let operation = Operation { id, serial, source, wording, reached, held, writing };
        self.running.push(Abortable::new(operation, registration));
    }

    /// Ends all operations with `outcome`, and returns its message.
    pub(crate) fn end(&mut self, outcome: &Outcome) -> String {
        self.running.clear();
        self.known.drain().map(|(id, _)| (self.wording.error)(&id, outcome)).collect()
    }

    /// Cuts an operation; its stream is dropped at the next poll.
    pub(crate) fn cut(&mut self, id: &str) {
        if let Some(running) = self.known.remove(id) {
            running.handle.abort();
        }
    }

    /// The next message of any operation. Pending also without operations.
    pub(crate) fn poll(&mut self, context: &mut Context<'_>) -> Poll<(String, Mark)> {
        match self.running.poll_next_unpin(context) {
            Poll::Ready(Some(Step { text, mark })) => Poll::Ready((text, mark)),
            Poll::Ready(None) | Poll::Pending => Poll::Pending,
        }
    }

    /// The message of `mark` is sent before any later message.
    pub(crate) fn handed_over(&mut self, mark: &Mark) {
        let Some(running) = self.known.get_mut(&mark.id) else { return };
        if running.serial != mark.serial {
            return;
        }
        if mark.last {
            self.known.remove(&mark.id);
        } else if !matches!(running.progress, Progress::None) {
            running.progress = mark.position.map_or(Progress::Unknown, Progress::Until);
        }
    }

    /// The earliest place that any subscription needs, so that the client misses nothing. `None`
    /// without subscriptions, or if one of their places is not known.
    pub(crate) fn resume_from(&self) -> Option<ResumePoint> {
        let needs = self.known.values().map(|running| running.progress.resume_from());
        let needs: Vec<_> = needs.collect::<Result<_, ()>>().ok()?;
        needs.into_iter().flatten().min()
    }
}
