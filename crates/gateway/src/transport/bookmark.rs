//! Where a subscription can be resumed.

use std::sync::Arc;

use parking_lot::Mutex;
use rookery_log::PositionToken;

/// Told by the resolver of a subscription how far it is, for the socket that carries it. It is in the data of each
/// request that came over a socket.
///
/// **Invariant:** what was told last belongs to the chunk that was made last: nothing is made ahead.
#[derive(Clone, Default)]
pub struct Bookmark(Arc<Mutex<Option<Places>>>);

#[derive(Clone, Copy)]
struct Places {
    begun: PositionToken,
    reached: PositionToken,
}

impl Bookmark {
    /// All before `position` is made. What is told first is where the subscription begins.
    pub fn set(&self, position: PositionToken) {
        let mut places = self.0.lock();
        let begun = places.map_or(position, |places| places.begun);
        *places = Some(Places { begun, reached: position });
    }

    /// Where the subscription began; nothing if it has not, or cannot be resumed.
    #[must_use]
    pub fn begun(&self) -> Option<PositionToken> {
        self.0.lock().map(|places| places.begun)
    }

    /// The end of what was made so far; nothing as above.
    #[must_use]
    pub fn reached(&self) -> Option<PositionToken> {
        self.0.lock().map(|places| places.reached)
    }
}
