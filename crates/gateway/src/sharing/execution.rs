//! One long-lived execution of a subscription, which is handed the chunks that it is to tell.
//!
//! **Invariant:** each chunk handed in is answered before the next one is: nothing waits inside.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    task::Poll,
};

use async_graphql::{Error, Executor, Pos, Request, Response, Variables};
use futures_util::{
    FutureExt as _, Stream, StreamExt as _,
    stream::{BoxStream, poll_fn},
};
use parking_lot::Mutex;
use rookery_graphql_edge::{Budget, Executable, Held};

use crate::schema::{context::Session, subscription::EventChunk, types::errors::fault::Fault};

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
    /// What an answer may take; nothing is bounded without it.
    pub(super) budget: Option<Budget>,
    /// The document as it was planned; without it, it is read from its text.
    pub(super) executable: Option<Arc<Executable>>,
}

impl Template {
    pub(super) fn request(&self) -> Request {
        let mut request = Request::new(&self.query).variables(self.variables.clone());
        if let Some(executable) = &self.executable {
            request.set_parsed_query(executable.document().clone());
        }
        request.operation_name.clone_from(&self.operation_name);
        request
    }
}

pub(super) struct Execution {
    handed: Handed,
    executable: Option<Arc<Executable>>,
    budget: Option<Budget>,
    responses: BoxStream<'static, Response>,
}

impl Execution {
    /// For one subscriber.
    pub(super) fn own(schema: &impl Executor, template: &Template, session: Session) -> Self {
        let budget = template.budget.as_ref().map(|budget| budget.like(true));
        Self::new(schema, template, template.request().data(session), budget)
    }

    /// For all. Nobody is logged in to it.
    pub(super) fn shared(schema: &impl Executor, template: &Template) -> Self {
        let session = Session::of_nobody();
        // It is executed under a lock, and does not pause there.
        let budget = template.budget.as_ref().map(|budget| budget.like(false));
        let request = template.request().data(session).data(SeenByMembers);
        Self::new(schema, template, request, budget)
    }

    fn new(
        schema: &impl Executor,
        template: &Template,
        mut request: Request,
        budget: Option<Budget>,
    ) -> Self {
        let handed = Handed::default();
        if let Some(budget) = &budget {
            request = request.data(budget.clone());
        }
        let responses = schema.execute_stream(request.data(handed.clone()), None);
        Self { handed, executable: template.executable.clone(), budget, responses }
    }

    /// Answers a chunk.
    pub(super) async fn answer(&mut self, chunk: Result<EventChunk, Fault>) -> Option<Response> {
        *self.handed.0.lock() = Some(chunk);
        let Some(budget) = self.budget.clone() else { return self.responses.next().await };
        budget.renew();
        let response = budget.paced(self.responses.next()).await;
        match budget.exhausted() {
            None => response,
            Some(exhausted) => {
                let error = Error::from(exhausted).into_server_error(Pos::default());
                Some(Response::from_errors(vec![error]))
            }
        }
    }

    /// Whether the last answer was longer than it may be. All that come after it are for nothing, as it is missing.
    pub(super) fn is_exhausted(&self) -> bool {
        self.budget.as_ref().is_some_and(|budget| budget.exhausted().is_some())
    }

    /// What keeps room for the last answer until its client has it.
    pub(super) fn held(&self) -> Held {
        let budget = self.budget.as_ref();
        budget.map(|budget| budget.unread(budget.taken_bytes())).unwrap_or_default()
    }

    /// Answers a chunk if that needs no waiting, brings no error and does not panic, as it is serialised for all. After
    /// `None` the execution is of no use any more.
    pub(super) fn answer_now(&mut self, chunk: EventChunk) -> Option<Response> {
        let answer = || self.answer(Ok(chunk)).now_or_never();
        let mut response = catch_unwind(AssertUnwindSafe(answer)).ok().flatten().flatten()?;
        if !response.errors.is_empty() {
            return None;
        }
        if let Some(executable) = &self.executable {
            executable.complete(&mut response);
        }
        Some(response)
    }
}
