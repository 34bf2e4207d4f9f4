//! The line formats of bots and bouncers.

pub(super) mod eggdrop;
pub(super) mod limnoria;
pub(super) mod ubuntu;
pub(super) mod znc;
