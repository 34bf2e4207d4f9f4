//! The data for a client's first screen, the changes since then, and the position for its stream.

mod initial;
mod update;

pub use self::initial::{InitialSync, PAGE_DEFAULT as ROOMS_DEFAULT, SyncArguments};
