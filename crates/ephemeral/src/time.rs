//! The time, as the two clocks have it.

use std::time::Instant;

/// A moment. What ends by itself is measured by the clock that never jumps; what users are shown is
/// of the other one.
#[derive(Clone, Copy, Debug)]
pub struct Now {
    /// The steady clock.
    pub at: Instant,
    /// Milliseconds since 1970.
    pub wall_millis: u64,
}
