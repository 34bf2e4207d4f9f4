//! One long-lived execution of a subscription, which receives its chunks from outside.
//!
//! **Invariant:** each received chunk is answered before the next one comes: nothing waits inside.

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
use rookery_graphql_documents::Executable;
use rookery_graphql_edge::{Budget, Held};
use rookery_schema::{context::Session, marks::SeenByMembers, types::errors::fault::Fault};

use crate::schema::subscription::EventChunk;

/// The next chunk of an execution.
#[derive(Clone, Default)]
pub(crate) struct Handed(Arc<Mutex<Option<Result<EventChunk, Fault>>>>);

impl Handed {
    /// The chunks for the resolver of the subscription. It is polled only once a chunk is there, so
    /// nothing has to be woken.
    pub(crate) fn chunks(&self) -> impl Stream<Item = Result<EventChunk, Fault>> + use<> {
        let handed = Arc::clone(&self.0);
        poll_fn(move |_| match handed.lock().take() {
            Some(chunk) => Poll::Ready(Some(chunk)),
            None => Poll::Pending,
        })
    }
}

/// A request without its session.
#[derive(Debug)]
pub(super) struct Template {
    pub(super) query: String,
    pub(super) operation_name: Option<String>,
    pub(super) variables: Variables,
    /// The budget of an answer; without it nothing is bounded.
    pub(super) budget: Option<Budget>,
    /// The planned document; without it, the text is read.
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

    /// An execution for all, without a login.
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

    /// Whether the last answer exceeded its budget. All later answers would be useless, because one
    /// is missing.
    pub(super) fn is_exhausted(&self) -> bool {
        self.budget.as_ref().is_some_and(|budget| budget.exhausted().is_some())
    }

    /// Holds room for the last answer until its client has it.
    pub(super) fn held(&self) -> Held {
        let budget = self.budget.as_ref();
        budget.map(|budget| budget.unread(budget.taken_bytes())).unwrap_or_default()
    }

    /// Answers a chunk in its shared form, if that needs no wait, has no error and does not panic.
    /// After `None` the execution must not be used.
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
