//! Memory limits of the delivery of commits.

/// The settings of delivery. The defaults suit a server of any size.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// When a follower is this many commits behind, it looks for a shorter way than along the log:
    /// its own rooms.
    pub far_commits: u64,
    /// How many commits may wait for one subscriber. A subscriber with more continues from the log.
    pub inbox_commits_max: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self { far_commits: 4_096, inbox_commits_max: 1_024 }
    }
}
