//! Models with a row for each user or alias, and the last actions of devices.

mod actions;
mod aliases;
mod filters;
mod preferences;
mod profiles;
mod receipts;

pub(crate) use self::{actions::ActionNumbers, aliases::AliasTarget, receipts::Receipts};
pub use self::{
    filters::Filters,
    preferences::{DataPlace, Preferences},
    receipts::{ReadMark, ReadMarks, ReadersOfRooms},
};
