//! The read side: projector runtime, read models, catch-up-then-follow reading.
