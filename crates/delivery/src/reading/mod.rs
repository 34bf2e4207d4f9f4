//! Ways to read the log for those who are behind: along it in shared pages, or a user's own rooms alone.

mod follower;
mod pages;
mod shortcut;

pub use self::follower::{Batch, FollowError, Follower};
pub(crate) use self::{
    pages::{PAGE_COMMITS, Pages, left_of_page},
    shortcut::{Search, Searched, Shortcut},
};
