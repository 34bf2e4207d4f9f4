//! Models with a row for each room.

mod memberships;
mod redactions;
mod relations;
mod rooms_of_users;
mod summaries;

pub use self::{
    memberships::{Member, MembershipChange, RoomMembers},
    relations::{Reactions, Related, Relating, Thread},
    rooms_of_users::{MemberSince, RoomsOfUser, RoomsOfUsers},
    summaries::{Summary, VisibilityChange},
};
pub(crate) use self::{redactions::Redactions, relations::RoomRelations};
