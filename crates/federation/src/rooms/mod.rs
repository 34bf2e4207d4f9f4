//! Rooms, as far as other servers may know them.

mod acl;
mod chains;
mod events;
mod members;
mod templates;
mod visible;

pub(crate) use self::{
    events::{Events, KnownPdu},
    members::{Standing, servers},
    templates::{Template, TemplateError},
    visible::visible,
};
