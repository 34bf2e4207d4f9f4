//! The memory of other servers, in one file (redb).
//!
//! **Invariant:** a change is on stable storage when its call answers.
//! **Invariant:** after an error of the disk the next call opens the file again.
//! **Invariant:** losing the file loses no event: keys are fetched again, and the sender begins at the end of the log.

mod destinations;
mod file;
mod keys;
mod transactions;
mod waiting;

pub use self::file::StoreError;
pub(crate) use self::{
    destinations::{Destination, Outstanding, Place, SenderChange},
    file::Store,
    keys::StoredKey,
};
