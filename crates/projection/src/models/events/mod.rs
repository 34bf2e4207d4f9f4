//! The event index: event ID to place in the log.

mod index;
mod run;

pub use self::run::Place;
pub(crate) use self::{
    index::{EventIndex, id_hash, remove},
    run::IdHash,
};
