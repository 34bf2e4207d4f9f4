//! One long-lived execution of a subscription, which is handed the chunks that it is to tell.
//!
//! **Invariant:** each chunk handed in is answered before the next one is: nothing waits inside.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    task::Poll,
};

use async_graphql::{Executor, Request, Response, Variables};
use futures_util::{
    FutureExt as _, Stream, StreamExt as _,
    stream::{BoxStream, poll_fn},
};
use parking_lot::Mutex;

use crate::schema::{context::Session, fault::Fault, stream::EventChunk};

/// The chunk that an execution is to tell next.
#[derive(Clone, Default)]
pub(crate) struct Handed(Arc<Mutex<Option<Result<EventChunk, Fault>>>>);

impl Handed {
    /// The chunks, as the resolver of the subscription gives them. It is polled only once a chunk
    /// is there, so nobody has to be woken.
    pub(crate) fn chunks(&self) -> impl Stream<Item = Result<EventChunk, Fault>> + use<> {
        let handed = Arc::clone(&self.0);
        poll_fn(move |_| match handed.lock().take() {
            Some(chunk) => Poll::Ready(Some(chunk)),
            None => Poll::Pending,
        })
    }
}

/// In the data of an execution for all members of the rooms that it tells of: what rooms show to
/// their members is shown.
pub(crate) struct SeenByMembers;

/// What is executed: everything of a request but who asks.
#[derive(Debug)]
pub(super) struct Template {
    pub(super) query: String,
    pub(super) operation_name: Option<String>,
    pub(super) variables: Variables,
}

impl Template {
    pub(super) fn request(&self) -> Request {
        let mut request = Request::new(&self.query).variables(self.variables.clone());
        request.operation_name.clone_from(&self.operation_name);
        request
    }
}

pub(super) struct Execution {
    handed: Handed,
    responses: BoxStream<'static, Response>,
}

impl Execution {
    /// For one subscriber.
    pub(super) fn own(schema: &impl Executor, template: &Template, session: Session) -> Self {
        Self::new(schema, template.request().data(session))
    }

    /// For all. Nobody is logged in to it.
    pub(super) fn shared(schema: &impl Executor, template: &Template) -> Self {
        let session = Session::of_nobody();
        Self::new(schema, template.request().data(session).data(SeenByMembers))
    }

    fn new(schema: &impl Executor, request: Request) -> Self {
        let handed = Handed::default();
        let responses = schema.execute_stream(request.data(handed.clone()), None);
        Self { handed, responses }
    }

    /// Answers a chunk.
    pub(super) async fn answer(&mut self, chunk: Result<EventChunk, Fault>) -> Option<Response> {
        *self.handed.0.lock() = Some(chunk);
        self.responses.next().await
    }

    /// Answers a chunk if that needs no waiting, brings no error and does not panic. After `None`
    /// the execution is of no use any more.
    pub(super) fn answer_now(&mut self, chunk: EventChunk) -> Option<Response> {
        let answer = || self.answer(Ok(chunk)).now_or_never();
        let response = catch_unwind(AssertUnwindSafe(answer)).ok().flatten().flatten()?;
        response.errors.is_empty().then_some(response)
    }
}
