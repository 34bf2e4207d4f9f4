//! Snapshots of the models, and their directories.

pub(crate) mod generation;
mod open;
pub(crate) mod save;
pub(crate) mod snapshot;

pub use self::{
    generation::{remove_old, roll_back},
    open::OpenError,
    snapshot::SnapshotError,
};
