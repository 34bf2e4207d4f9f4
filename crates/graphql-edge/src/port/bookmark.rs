//! Where a subscription can be resumed.

use std::sync::Arc;

use parking_lot::Mutex;

/// A place in what subscriptions tell. A smaller number is an earlier place, whichever subscription it is of.
/// [`Frames::resume_text`](crate::Frames::resume_text) says how clients name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ResumePoint(pub u64);

/// Told by the resolver of a subscription how far it is, for the socket that carries it. It is in the data of each
/// request that came over a socket.
///
/// **Invariant:** what was told last belongs to the chunk that was made last: nothing is made ahead.
#[derive(Clone, Default)]
pub struct Bookmark(Arc<Mutex<Option<Span>>>);

#[derive(Clone, Copy)]
struct Span {
    begun: ResumePoint,
    reached: ResumePoint,
}

impl Bookmark {
    /// All before `point` is made. The first one that is told is where the subscription begins.
    pub fn set(&self, point: ResumePoint) {
        let mut span = self.0.lock();
        let begun = span.map_or(point, |span| span.begun);
        *span = Some(Span { begun, reached: point });
    }

    /// Where the subscription began; nothing if it has not, or cannot be resumed.
    #[must_use]
    pub fn begun(&self) -> Option<ResumePoint> {
        self.0.lock().map(|span| span.begun)
    }

    /// The end of what was made so far; nothing as above.
    #[must_use]
    pub fn reached(&self) -> Option<ResumePoint> {
        self.0.lock().map(|span| span.reached)
    }
}
