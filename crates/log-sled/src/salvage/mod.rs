//! Saving what is whole in a folder that cannot be opened any more.
//!
//! Every value of the log bears a checksum, its position and its own hash, so it is recognised
//! wherever it lies in the engine's file, also where no tree leads to it. What is saved forms a new
//! log: records keep what they are up to the first hole, and are chained again behind it.
//!
//! **Invariant:** the folder is only read.
//! **Invariant:** of two versions of a record the newer one is saved: what was erased stays so.

mod chain;
mod survey;

pub use self::{
    chain::{Edit, Moved, Saved, Saving},
    survey::Salvage,
};
