//! Messages beside events (EDUs): typing, read receipts and presence, as other servers say them.
//!
//! Source: Matrix server-server specification, "EDUs", "Typing Notifications", "Presence" and "Receipts".

mod form;
mod receiving;

#[cfg(test)]
pub(crate) use self::receiving::RECEIPTS_MAX;
pub(crate) use self::{
    form::{presences, receipts, typing},
    receiving::receive,
};
