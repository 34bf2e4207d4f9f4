//! The read models, and the application of a commit to all of them in lock-step.

mod accounts;
mod all;
mod directory;
mod events;
mod fold;
mod lookup;
mod rooms;
mod shared;

pub(crate) use self::{
    accounts::{ActionNumbers, AliasTarget, AliasesOfRooms, LastNumbers, Receipts},
    events::{EventIndex, Frozen, IdHash, id_hash, remove},
    fold::{Fold, Folded, Row, Rows, Unfit},
    rooms::{Redactions, RoomRelations},
    shared::Shared,
};
pub use self::{
    accounts::{Filters, ReadMark, ReadMarks, ReadersOfRooms},
    all::Models,
    directory::{Directory, StreamKey},
    events::Place,
    fold::Parked,
    rooms::{
        Member, MembershipChange, Powers, Reactions, Related, Relating, RoomMembers, RoomsOfUsers,
        SETTINGS, Summary, Thread, VisibilityChange,
    },
};
