//! Rooms, messages, accounts and their rules.

mod actions;
mod conversation;
mod ephemeral;
mod federation;
mod joining;
mod messages;
mod redaction;
mod relations;
mod unread;
mod words;
