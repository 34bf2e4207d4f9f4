//! Unread and highlight counts.
//!
//! A room stores the sequences of the counted messages once for all readers. A reader's count is
//! computed on request. Highlights of single members are stored with the member.

mod counted;
mod fold;
mod levels;
mod message;
mod missed;
mod versions;

pub(crate) use self::fold::RoomUnread;
pub use self::fold::Unread;
