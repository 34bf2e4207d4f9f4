//! The rooms that services follow without being members.
//!
//! A room concerns a service while a member or an invited user, an alias of the room, or the room
//! itself is in one of its namespaces. The service's bot then reads the room as a member does. The
//! index holds this membership of the bot over time, so every rule for members applies to it.
//!
//! **Invariant:** the index follows from the log, the namespaces and the position since which the
//! service follows. So a restart, a cut and a replay give the same rooms at the same commits.
//! **Invariant:** the index has the position of the models: the projector changes both under the
//! lock of the models.
//! **Invariant:** without services, a commit costs one read of a flag.

mod answers;
mod build;
mod followers;
mod history;
mod index;
mod observe;
#[cfg(test)]
mod tests;

pub use self::{
    answers::{FollowedCommit, FollowedRoom, invites_elsewhere},
    build::FollowPlace,
    followers::{FollowedSince, RoomFollower},
    index::Followings,
};
pub(crate) use self::{
    history::Followed,
    index::{ServiceRooms, Services},
};
