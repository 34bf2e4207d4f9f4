//! Decoded commits: decoding, and those that stay in memory.

mod cache;
mod committed;
mod content;
mod gathered;
mod held;
mod restated;
mod ring;

pub(crate) use self::{
    cache::Cache, content::Content, gathered::Gathered, restated::Restated, ring::Ring,
};
pub use self::{
    cache::cost,
    committed::{Committed, Unreadable},
    restated::decode,
};
