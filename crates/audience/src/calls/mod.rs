//! Calls beside the log: their signals, and the ends that nobody asks for.

mod signals;
mod timers;

pub(crate) use self::signals::{follow, settle_all};
pub use self::signals::{parties, settle};
pub use self::timers::{CallTimers, DueCall};
