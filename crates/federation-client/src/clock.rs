//! The time, in milliseconds since 1970.

use std::sync::Arc;

/// Reads the clock of the server.
pub type Clock = Arc<dyn Fn() -> u64 + Send + Sync>;
