//! IDs of faults, by which an operator finds the log line of a client's error.

use std::fmt;
use std::hash::{BuildHasher as _, RandomState};

use serde::{Serialize, Serializer};

/// The ID of one fault: in the answer as `extensions.faultId`, in the log as `fault_id`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FaultId(u64);

impl FaultId {
    /// A unique ID.
    #[expect(clippy::new_without_default, reason = "each is another")]
    #[must_use]
    pub fn new() -> Self {
        // The keys of hashers are random, and no two of a thread are the same.
        Self(RandomState::new().hash_one(()))
    }
}

impl fmt::Display for FaultId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl Serialize for FaultId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
