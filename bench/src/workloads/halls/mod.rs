//! Rooms with speakers and listeners.

pub(super) mod fanout;
pub(super) mod hall;
pub(super) mod mixed;
pub(super) mod quiet;
pub(super) mod stalled;
pub(super) mod storm;
