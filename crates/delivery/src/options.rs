//! How much memory the delivery of commits may take.

/// The settings of delivery. The defaults fit a server of any size.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// So many commits behind, a follower looks for a shorter way than along the log: its own rooms.
    pub far_commits: u64,
    /// About how many bytes the pages of the log may take that are kept for those who catch up.
    pub pages_bytes_max: usize,
    /// Commits that may wait for one who follows. Whoever has more to come reads on from the log.
    pub inbox_commits_max: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self { far_commits: 4_096, pages_bytes_max: 8 * 1024 * 1024, inbox_commits_max: 1_024 }
    }
}
