//! Rooms, as far as other servers may know them.

mod acl;
mod chains;
mod events;
mod members;
mod states;
mod templates;
mod visible;

pub use self::states::{FoldedStates, RoomStates, StatesError};
pub(crate) use self::{
    events::{Events, KnownPdu},
    members::{Standing, servers},
    templates::{Template, TemplateError},
    visible::visible,
};
