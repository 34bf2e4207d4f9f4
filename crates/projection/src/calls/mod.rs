//! Calls: the active ones by room, by user and by deadline, and the past ones of each room.

mod fold;
mod index;

pub(crate) use self::{fold::RoomCalls, index::CallIndex};
