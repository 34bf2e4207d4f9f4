//! The places from which a subscription can be resumed.

use std::sync::Arc;

use parking_lot::Mutex;

/// A place in subscriptions. A smaller number is an earlier place, in any subscription.
/// [`Frames::resume_text`](crate::Frames::resume_text) returns its text for clients.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ResumePoint(pub u64);

/// The resolver of a subscription reports its progress here, to the socket that carries it. It is
/// in the data of each request over a socket.
///
/// **Invariant:** the last report belongs to the last chunk: nothing is made ahead.
#[derive(Clone, Default)]
pub struct Bookmark(Arc<Mutex<Option<Span>>>);

#[derive(Clone, Copy)]
struct Span {
    begun: ResumePoint,
    reached: ResumePoint,
}

impl Bookmark {
    /// Everything before `point` was made. The first call sets the beginning of the subscription.
    pub fn set(&self, point: ResumePoint) {
        let mut span = self.0.lock();
        let begun = span.map_or(point, |span| span.begun);
        *span = Some(Span { begun, reached: point });
    }

    /// The beginning of the subscription; `None` if it has not begun, or cannot be resumed.
    #[must_use]
    pub fn begun(&self) -> Option<ResumePoint> {
        self.0.lock().map(|span| span.begun)
    }

    /// The end of the last chunk; `None` as above.
    #[must_use]
    pub fn reached(&self) -> Option<ResumePoint> {
        self.0.lock().map(|span| span.reached)
    }
}
