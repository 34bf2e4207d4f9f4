//! One kind of work that follows from commits.

use std::future::Future;

use rookery_log::{Position, Record};

/// The reason why the work of a commit was not done.
#[derive(Debug)]
pub enum Undone {
    /// It can be done later. The work of later commits waits for it.
    Later(String),
    /// A retry would change nothing. It is named, counted and skipped.
    Skipped(String),
}

/// Work of one kind.
pub trait Process: Sync {
    /// The name of the process, for its checkpoint and for operators.
    const NAME: &'static str;

    /// Whether a commit may have work for this process. It is called for every commit, so it is
    /// cheap.
    fn concerns(record: &Record) -> bool;

    /// Does the work of a commit. Returns `false` if there was none.
    fn handle(&self, record: &Record) -> impl Future<Output = Result<bool, Undone>> + Send;
}

/// The status of a process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProcessStatus {
    /// Its name.
    pub name: &'static str,
    /// The work of all commits up to here is done.
    pub position: Position,
    /// How many commits were skipped since the start, because of damage.
    pub skipped: u64,
    /// The reason why it does not continue now.
    pub trouble: Option<String>,
}
