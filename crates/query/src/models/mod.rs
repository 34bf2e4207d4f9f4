//! The read models, and how a commit reaches all of them in lock-step.

mod aliases;
mod all;
mod directory;
mod events;
mod fold;
mod memberships;
mod profiles;
mod rooms_of_users;
mod run;
mod shared;
mod summaries;

pub(crate) use self::{
    aliases::{AliasTarget, AliasesOfRooms},
    all::Models,
    directory::{Directory, StreamKey},
    events::{EventIndex, Frozen, remove},
    fold::{Fold, Folded, Row, Rows, Unfit},
    memberships::RoomMembers,
    rooms_of_users::RoomsOfUsers,
    run::Place,
    shared::Shared,
};
pub use self::{
    fold::Parked,
    memberships::{Member, MembershipChange},
    summaries::{Powers, Summary, VisibilityChange},
};
