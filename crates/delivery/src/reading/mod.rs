//! Catch-up reads of the log: along it in shared pages, or only the user's own rooms.

mod follower;
mod pages;
mod shortcut;

pub use self::follower::{Batch, FollowError, Follower};
#[cfg(test)]
pub(crate) use self::pages::READERS_MAX;
pub(crate) use self::{
    pages::{PAGE_COMMITS, Pages, left_of_page},
    shortcut::{Search, Searched, Shortcut},
};
