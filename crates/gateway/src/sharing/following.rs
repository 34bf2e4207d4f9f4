//! A subscription to the event stream, frame by frame: in a group, or alone.
//!
//! **Invariant:** nothing is read ahead: a chunk is read when a frame is requested.
//! **Invariant:** a started frame is finished whether or not the connection asks again. It counts
//! as unread until the connection asks for the next one.

use std::{
    any::TypeId,
    future::poll_fn,
    sync::{Arc, atomic::Ordering::Relaxed},
    task::Poll,
};

use async_graphql::{Data, Executor, Request, Response};
use futures_util::{
    StreamExt as _,
    stream::{BoxStream, unfold},
};
use parking_lot::Mutex;
use rookery_graphql_edge::{Budget, Frame, Frames, Payload, ResumePoint};
use rookery_log::Position;
use rookery_schema::{
    context::{App, Session},
    types::errors::fault::Fault,
};
use rookery_work::Task;

use super::{
    execution::Execution,
    fanout::{Fanout, FanoutCounts, Served},
    group::{Group, Parts},
    identity::Viewer,
};
use crate::schema::{
    Schema,
    subscription::{Draft, EventChunk, Piece, Reader, Step, in_turn},
};

/// A shared frame longer than this counts for each receiver. Shorter ones exist once, and the queue
/// of a connection bounds its copies.
const SHARED_BYTES_MAX: usize = 64 * 1024;

/// An own execution is dropped after this many shared frames without use.
const OWN_UNUSED_MAX: u32 = 8;

/// The resolver of a subscription puts its reader here instead of following it.
#[derive(Clone, Default)]
pub(crate) struct Opening(Arc<Mutex<Option<(Session, Reader)>>>);

impl Opening {
    pub(crate) fn put(&self, session: Session, reader: Reader) {
        *self.0.lock() = Some((session, reader));
    }
}

/// The schema with shared execution for subscribers.
#[derive(Clone)]
pub struct SharingSchema(Schema);

impl From<Schema> for SharingSchema {
    fn from(schema: Schema) -> Self {
        Self(schema)
    }
}

impl SharingSchema {
    /// The counters of shared execution of the event stream.
    #[must_use]
    pub fn counts(&self) -> FanoutCounts {
        self.0.data::<Arc<Fanout>>().map(|fanout| fanout.counts()).unwrap_or_default()
    }
}

impl Executor for SharingSchema {
    async fn execute(&self, request: Request) -> Response {
        self.0.execute(request).await
    }

    fn execute_stream(
        &self,
        request: Request,
        session_data: Option<Arc<Data>>,
    ) -> BoxStream<'static, Response> {
        Executor::execute_stream(&self.0, request, session_data)
    }
}

/// The place at which a subscriber has everything up to `position`.
pub(crate) fn resume_point(position: Position) -> ResumePoint {
    ResumePoint(position.0)
}

impl Frames for SharingSchema {
    fn frames(&self, request: Request) -> BoxStream<'static, Frame> {
        let Self(schema) = self;
        let parts = schema.data::<Arc<App>>().zip(schema.data::<Arc<Fanout>>());
        let place = parts.and_then(|it| Some((it, it.1.place(&request)?)));
        let Some(((app, fanout), place)) = place else {
            return steps(schema, request);
        };
        let opening = Opening::default();
        // The request is executed up to its reader. So its refusals and their messages do not
        // depend on sharing.
        let responses = schema.execute_stream(request.data(opening.clone()));
        let (schema, app, fanout) = (schema.clone(), Arc::clone(app), Arc::clone(fanout));
        let starting = Starting { schema, app, fanout, place, opening, responses };
        let state = State::Opening(Box::new(starting));
        unfold(state, State::next).boxed()
    }

    fn resume_text(&self, point: ResumePoint) -> String {
        let app = self.0.data::<Arc<App>>();
        app.map(|app| app.position_text(Position(point.0))).unwrap_or_default()
    }
}

/// A subscription that requests more than the event stream. Each step is a task of its own, so a
/// started step is finished whether or not the client reads.
fn steps(schema: &Schema, mut request: Request) -> BoxStream<'static, Frame> {
    let budget = request.data.get(&TypeId::of::<Budget>());
    let budget = budget.and_then(|it| it.downcast_ref::<Budget>()).map(|it| it.like(true));
    if let Some(budget) = &budget {
        request = request.data(budget.clone());
    }
    let responses = schema.execute_stream(request);
    let steps = unfold((responses, budget), |(mut responses, budget)| async move {
        if let Some(budget) = &budget {
            budget.renew();
        }
        let step = async move {
            let frame = responses.next().await;
            (frame.map(Frame::from), responses)
        };
        let (frame, responses) = match budget.clone() {
            Some(budget) => budget.step(step).await,
            None => begun(step).await,
        };
        let mut frame = frame?;
        if let Some(budget) = &budget {
            frame.held = budget.unread(budget.taken_bytes());
        }
        Some((frame, (responses, budget)))
    });
    steps.boxed()
}

/// Starts a step, and continues it in a task of its own if it waits.
async fn begun<T: Send + 'static>(step: impl Future<Output = T> + Send + 'static) -> T {
    let mut step = Box::pin(step);
    let first = poll_fn(|context| Poll::Ready(step.as_mut().poll(context))).await;
    match first {
        Poll::Ready(done) => done,
        Poll::Pending => Task::start(step).await,
    }
}

struct Starting {
    schema: Schema,
    app: Arc<App>,
    fanout: Arc<Fanout>,
    place: Served,
    opening: Opening,
    responses: BoxStream<'static, Response>,
}

enum State {
    Opening(Box<Starting>),
    Following(Box<Following>),
    Ended,
}

impl State {
    /// The next frame, and how it goes on.
    async fn next(self) -> Option<(Frame, Self)> {
        let following = match self {
            Self::Opening(mut starting) => {
                if let Some(response) = starting.responses.next().await {
                    return Some((response.into(), Self::Opening(starting)));
                }
                Box::new(Following::of(*starting)?)
            }
            Self::Following(following) => following,
            Self::Ended => return None,
        };
        let (frame, following) = following.next().await?;
        let next = if following.is_over { Self::Ended } else { Self::Following(following) };
        Some((frame, next))
    }
}

/// A subscription that has begun.
struct Following {
    schema: Schema,
    app: Arc<App>,
    fanout: Arc<Fanout>,
    place: Served,
    session: Session,
    viewer: Viewer,
    reader: Reader,
    /// For parts that depend on the viewer; created on first use.
    own: Option<Execution>,
    own_unused: u32,
    is_over: bool,
}

impl Following {
    fn of(starting: Starting) -> Option<Self> {
        let Starting { schema, app, fanout, place, opening, .. } = starting;
        let (session, reader) = opening.0.lock().take()?;
        let user = session.viewer().ok()?.to_owned();
        let device = session.device_id().ok().map(ToOwned::to_owned);
        let viewer = Viewer { user, device };
        let (own, own_unused, is_over) = (None, 0, false);
        Some(Self { schema, app, fanout, place, session, viewer, reader, own, own_unused, is_over })
    }

    async fn next(mut self: Box<Self>) -> Option<(Frame, Box<Self>)> {
        let frame = loop {
            match self.reader.follow().await {
                Ok(Step::Told(draft)) => break self.tell(&draft).await,
                Ok(Step::Over) => return None,
                Ok(Step::Behind) => {}
                Err(fault) => break self.fail(fault).await,
            }
            let (following, piece) =
                in_turn(self, |following| &following.reader, Self::caught_up).await;
            self = following;
            match piece {
                Piece::Told(frame) => break frame,
                Piece::Nothing => {}
                Piece::End => self.reader.arrived().await,
                Piece::Over => return None,
            }
        };
        Some((frame?, self))
    }

    /// Reads a piece of the missing commits and answers it. Call it only in turn.
    async fn caught_up(mut self: Box<Self>) -> (Box<Self>, Piece<Option<Frame>>) {
        let piece = match self.reader.catch_up().await {
            Ok(Piece::Told(draft)) => Piece::Told(self.tell(&draft).await),
            Ok(Piece::Nothing) => Piece::Nothing,
            Ok(Piece::End) => Piece::End,
            Ok(Piece::Over) => Piece::Over,
            Err(fault) => Piece::Told(self.fail(fault).await),
        };
        (self, piece)
    }

    /// The last frame.
    async fn fail(&mut self, fault: Fault) -> Option<Frame> {
        self.is_over = true;
        self.answer(Err(fault)).await
    }

    async fn tell(&mut self, draft: &Draft) -> Option<Frame> {
        let counters = &self.fanout.counters;
        let resume = Some(resume_point(draft.position));
        let group = self.place.group.as_ref();
        let parts = Parts { schema: &self.schema, app: &self.app, fanout: &self.fanout };
        let ask = |group: &Arc<Group>| group.answer(parts, draft, &self.viewer);
        if let Some(answer) = group.and_then(ask) {
            counters.shared.fetch_add(1, Relaxed);
            self.own_unused += 1;
            if self.own_unused >= OWN_UNUSED_MAX {
                self.own = None;
            }
            let budget = self.place.template.budget.as_ref();
            let budget = budget.filter(|_| answer.len() > SHARED_BYTES_MAX);
            let held = budget.map(|budget| budget.unread(answer.len())).unwrap_or_default();
            return Some(Frame { payload: Payload::Shared(answer), resume, held });
        }
        if group.is_some() {
            counters.own.fetch_add(1, Relaxed);
        }
        let chunk = draft.chunk(&self.app);
        let frame = self.answer(Ok(chunk)).await?;
        if draft.items.is_empty() {
            // A subscriber that gets only positions may get nothing else for long.
            self.own = None;
        }
        Some(Frame { resume, ..frame })
    }

    async fn answer(&mut self, chunk: Result<EventChunk, Fault>) -> Option<Frame> {
        self.own_unused = 0;
        let start = || Execution::own(&self.schema, &self.place.template, self.session.clone());
        let mut own = self.own.take().unwrap_or_else(start);
        let (own, response) = begun(async move {
            let response = own.answer(chunk).await;
            (own, response)
        })
        .await;
        self.is_over |= response.is_none() || own.is_exhausted();
        let held = own.held();
        self.own = Some(own);
        Some(Frame { held, ..response?.into() })
    }
}
