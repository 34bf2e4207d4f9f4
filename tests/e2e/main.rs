//! End-to-end tests: the real binary, real sockets, real files.
#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]
#![expect(
    clippy::format_collect,
    clippy::format_push_string,
    reason = "documents are short, and read better so"
)]

mod abuse;
mod actions;
mod begun;
mod budget;
mod client;
mod conversation;
mod costly;
mod crash;
mod damage;
mod ephemeral;
mod federation;
mod filters;
mod full_disk;
mod hosts;
mod import;
mod imported;
mod interference;
mod joining;
mod late;
mod logins;
mod messages;
mod nearness;
mod operator;
mod oracle;
mod orders;
mod outputs;
mod paces;
mod profiles;
mod raw;
mod rebuild;
mod redaction;
mod relations;
mod resume;
mod revocation;
mod rules;
mod scroll;
mod seam;
mod security;
mod server;
mod shape;
mod sockets;
mod starving;
mod syncing;
mod takeover;
mod typed;
mod unfinished;
mod unread;
mod visibility;
mod words;
