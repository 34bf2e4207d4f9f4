//! Subscriptions of an executor of documents that were read.
//!
//! **Invariant:** as in [`Validated`]: the executor gets the planned operation of a valid document, and nothing else.

use async_graphql::Request;
use futures_util::stream::BoxStream;
use futures_util::{StreamExt as _, stream};
use rookery_graphql_documents::{Validated, prepare};

use crate::port::bookmark::ResumePoint;
use crate::port::frame::{Frame, Frames, Payload};

impl<E: Frames> Frames for Validated<E> {
    fn frames(&self, request: Request) -> BoxStream<'static, Frame> {
        let run = self.executor().clone();
        // Nothing happens before the stream is polled, so its caller catches panics.
        let prepared = stream::once(async move {
            let (request, executable) = match prepare(request) {
                Ok(prepared) => prepared,
                Err(response) => return stream::iter([(*response).into()]).boxed(),
            };
            let complete = move |mut frame: Frame| {
                // A shared answer was completed before it was serialised.
                if let Payload::Own(response) = &mut frame.payload {
                    executable.complete(response);
                }
                frame
            };
            run.frames(request).map(complete).boxed()
        });
        prepared.flatten().boxed()
    }

    fn resume_text(&self, point: ResumePoint) -> String {
        self.executor().resume_text(point)
    }
}
