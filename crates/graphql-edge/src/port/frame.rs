//! The port of subscriptions: the operations that a streaming transport needs of an executor.
//!
//! **Invariant:** shared text is the whole payload of a step that has `data` and no errors, with
//! the same bytes as the subscriber's own response.

use std::sync::Arc;

use async_graphql::{Data, Executor, Request, Response};
use futures_util::StreamExt as _;
use futures_util::stream::BoxStream;

use super::bookmark::ResumePoint;
use crate::limits::budget::Held;

/// One step of a subscription.
#[derive(Debug)]
pub struct Frame {
    /// The payload for the client.
    pub payload: Payload,
    /// The place from which the client may resume after this frame. `None` if it is not known, or
    /// if the [`Bookmark`](crate::Bookmark) in the data of the request has it.
    pub resume: Option<ResumePoint>,
    /// Holds room for it until the client has it.
    pub held: Held,
}

/// The payload for the client.
#[derive(Debug)]
pub enum Payload {
    /// A response made for this subscriber.
    Own(Box<Response>),
    /// The JSON of a response that several subscribers get.
    Shared(Arc<str>),
}

impl From<Response> for Frame {
    fn from(response: Response) -> Self {
        let payload = Payload::Own(Box::new(response));
        Self { payload, resume: None, held: Held::default() }
    }
}

impl Frame {
    /// Whether it reports an invalid document.
    pub(crate) fn is_invalid(&self) -> bool {
        match &self.payload {
            Payload::Own(response) => {
                !response.errors.is_empty()
                    && response.errors.iter().all(|error| error.path.is_empty())
            }
            Payload::Shared(_) => false,
        }
    }
}

/// Executes operations; subscriptions frame by frame.
pub trait Frames: Executor {
    /// Executes a subscription. A frame is made on request, none ahead.
    fn frames(&self, request: Request) -> BoxStream<'static, Frame>;

    /// The text by which clients name `point` when they resume a subscription.
    fn resume_text(&self, point: ResumePoint) -> String;
}

/// Any executor, without sharing between subscriptions. Its clients name places by their numbers.
#[derive(Clone, Debug)]
pub struct Unshared<E>(pub E);

impl<E: Executor> Executor for Unshared<E> {
    async fn execute(&self, request: Request) -> Response {
        self.0.execute(request).await
    }

    fn execute_stream(
        &self,
        request: Request,
        session: Option<Arc<Data>>,
    ) -> BoxStream<'static, Response> {
        self.0.execute_stream(request, session)
    }
}

impl<E: Executor> Frames for Unshared<E> {
    fn frames(&self, request: Request) -> BoxStream<'static, Frame> {
        self.0.execute_stream(request, None).map(Frame::from).boxed()
    }

    fn resume_text(&self, point: ResumePoint) -> String {
        point.0.to_string()
    }
}
