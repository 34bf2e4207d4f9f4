//! The line formats of chat programs.

pub(super) mod hexchat;
pub(super) mod irssi;
pub(super) mod lounge;
pub(super) mod mirc;
pub(super) mod textual;
pub(super) mod weechat;
