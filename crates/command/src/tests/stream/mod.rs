//! Loading, caching and appending to a stream.

mod caches;
mod failing_appends;
mod retries;
mod snapshots;
