//! The read models, and how a commit reaches all of them in lock-step.

mod actions;
mod aliases;
mod all;
mod directory;
mod events;
mod filters;
mod fold;
mod memberships;
mod profiles;
mod receipts;
mod redactions;
mod relations;
mod rooms_of_users;
mod run;
mod shared;
mod summaries;

pub(crate) use self::{
    actions::{ActionNumbers, LastNumbers},
    aliases::{AliasTarget, AliasesOfRooms},
    all::Models,
    directory::{Directory, StreamKey},
    events::{EventIndex, Frozen, id_hash, remove},
    filters::Filters,
    fold::{Fold, Folded, Row, Rows, Unfit},
    memberships::RoomMembers,
    receipts::{ReadersOfRooms, Receipts},
    redactions::Redactions,
    relations::{Related, RoomRelations},
    rooms_of_users::RoomsOfUsers,
    run::Place,
    shared::Shared,
};
pub use self::{
    fold::Parked,
    memberships::{Member, MembershipChange},
    receipts::{ReadMark, ReadMarks},
    relations::{Reactions, Seen, Thread},
    summaries::{Powers, Summary, VisibilityChange},
};
