//! The read models, and the application of a commit to all of them in lock-step.

mod accounts;
mod directory;
mod events;
mod fold;
mod folded;
mod lookup;
mod model;
mod registry;
mod rooms;
mod row_log;
mod shared;

pub(crate) use self::{
    accounts::{ActionNumbers, AliasTarget, Receipts},
    events::{EventIndex, IdHash, id_hash, remove},
    fold::{Fold, Row, Unfit},
    folded::{Folded, Rows},
    model::{AnyModel, Digester, Finished, Model, Source, Still},
    rooms::{Redactions, RoomRelations},
    row_log::{Draft, RowFile, RowLog},
    shared::Shared,
};
pub use self::{
    accounts::{DataPlace, Filters, Preferences, ReadMark, ReadMarks, ReadersOfRooms},
    directory::{Directory, StreamKey},
    events::Place,
    folded::Parked,
    registry::Models,
    rooms::{
        Member, MemberSince, MembershipChange, Reactions, Related, Relating, RoomMembers,
        RoomsOfUser, RoomsOfUsers, Summary, Thread, VisibilityChange,
    },
};
