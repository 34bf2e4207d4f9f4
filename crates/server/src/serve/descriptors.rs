//! The limit of file descriptors, and the part of it for connections.
//!
//! **Invariant:** connections never take the last descriptors: the log, the accounts, snapshots and the operator's socket need some.

use rustix::process::{Resource, getrlimit, setrlimit};

/// Descriptors for temporary use, besides those that are open at the start: snapshots, backups, operator commands, and
/// connections that the server accepted and is closing.
const SPARE_MAX: u64 = 512;

/// The least number of these, if the process has few descriptors.
const SPARE_MIN: u64 = 16;

/// Raises the limit of this process to the hard limit. Returns the new limit.
pub(crate) fn raise_limit() -> u64 {
    let limit = getrlimit(Resource::Nofile);
    let (now, most) = (limit.current.unwrap_or(u64::MAX), limit.maximum.unwrap_or(u64::MAX));
    if now >= most {
        return now;
    }
    let raised = rustix::process::Rlimit { current: limit.maximum, maximum: limit.maximum };
    match setrlimit(Resource::Nofile, raised) {
        Ok(()) => most,
        Err(error) => {
            tracing::warn!(%error, now, most, "cannot raise the limit of open files");
            now
        }
    }
}

/// The number of connections that fit beside `open` files into `limit` descriptors: at most
/// `wanted`.
pub(crate) fn connections(wanted: usize, limit: u64, open: u64) -> usize {
    let spare = (limit / 8).clamp(SPARE_MIN, SPARE_MAX);
    let left = limit.saturating_sub(open).saturating_sub(spare).max(SPARE_MIN / 2);
    wanted.min(usize::try_from(left).unwrap_or(usize::MAX))
}

/// The number of open files of this process, as far as the system reports it.
pub(crate) fn open_files() -> u64 {
    let folder = std::fs::read_dir("/proc/self/fd").or_else(|_| std::fs::read_dir("/dev/fd"));
    folder.map_or(64, |entries| entries.count() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_leave_descriptors_for_files_and_the_operator() {
        assert_eq!(connections(32_768, 1 << 20, 40), 32_768);
        assert_eq!(connections(32_768, 20_000, 40), 20_000 - 40 - 512);
        assert_eq!(connections(32_768, 1_024, 40), 1_024 - 40 - 128);
        assert_eq!(connections(32_768, 64, 24), 24);
        assert_eq!(connections(32_768, 8, 24), 8, "some at least");
        assert_eq!(connections(100, 20_000, 40), 100);
    }

    #[test]
    fn the_limit_is_what_the_system_allows() {
        let limit = raise_limit();
        assert_eq!(getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX), limit);
        assert!(open_files() > 2);
    }
}
