//! Unread and highlight counts.
//!
//! A room keeps the numbers of the messages that count, once, whoever reads them; how many of them
//! a reader has not read is counted when somebody asks. What is said to single members (highlights)
//! is kept with the member.

mod fold;
mod levels;
mod message;
mod names;
mod numbers;
mod said;
mod text;
mod versions;

pub(crate) use self::fold::RoomUnread;
pub use self::fold::Unread;
