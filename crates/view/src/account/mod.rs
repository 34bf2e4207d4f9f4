//! The account data of a user, as the user sees it: preferences, ignored users, content of
//! clients.

mod data;
mod ignoring;
mod preferences;

pub use self::{
    data::{DataEntry, WantedData},
    preferences::UnreadCounts,
};
