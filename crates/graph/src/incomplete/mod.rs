//! Graphs that lack a part of the history, and the history that comes later.

mod partial;
mod past;

pub(crate) use self::{
    partial::onto,
    past::{Edge, KnownBefore, LocalSlots},
};
pub use self::{
    partial::{Stated, in_order_of_auth},
    past::{PAST_MEMBERS_MAX, PastEvent},
};
