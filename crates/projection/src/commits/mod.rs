//! Decoded commits: decoding, and those that stay in memory.

mod cache;
mod committed;
mod content;
mod gathered;
mod held;
mod latest;
mod pages;
mod restated;
mod singles;

pub(crate) use self::{cache::Cache, content::Content, gathered::Gathered, restated::Restated};
pub use self::{
    committed::{Committed, Unreadable},
    restated::decode,
};
