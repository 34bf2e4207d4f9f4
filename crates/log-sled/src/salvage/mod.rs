//! Saves the intact records of a folder that cannot be opened.
//!
//! Every value of the log has a checksum, its position and its own hash. So it is recognised
//! anywhere in the engine's file, even if no tree leads to it. The saved records form a new log:
//! they are unchanged up to the first gap, and chained again after it.
//!
//! **Invariant:** the folder is only read.
//! **Invariant:** of two versions of a record the newer one is saved, so erased content stays
//! erased.

mod chain;
mod survey;

pub use self::{
    chain::{Edit, Moved, Saved, Saving},
    survey::Salvage,
};
