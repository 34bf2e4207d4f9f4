//! Numbered actions of a device: their line, their kinds, their rate limits.
//!
//! **Invariant:** nothing here knows a command or an event, or does I/O.

mod kind;
mod line;

pub use self::{
    kind::{ActionKind, ActionRates},
    line::{Line, LinePlace, SharedAppend, Step},
};
