//! What an import asks of the command layer.

use std::sync::Arc;

use rookery_log::{CommandId, Millis};

/// One command, with what makes it happen once, at its own time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// The same for the same line, in every run.
    pub id: CommandId,
    /// The file that it comes from.
    pub file: Arc<str>,
    /// The line that it comes from.
    pub line: u64,
    /// When it happened.
    pub at: Millis,
    /// What to do.
    pub command: Command,
}

/// What to do. Users are named by their localparts, rooms by their channel (`#room`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Make the public room of a channel, by the user of the import, who is its head.
    CreateRoom {
        /// The channel, which is also the room's name.
        channel: Arc<str>,
        /// The localpart of its alias.
        alias: String,
    },
    /// Make a user without a password, unless there is one.
    RegisterUser {
        /// Who.
        user: Arc<str>,
        /// Her nick.
        displayname: String,
    },
    /// Change a user's display name, here and in her rooms.
    Rename {
        /// Who.
        user: Arc<str>,
        /// Her new nick.
        displayname: String,
    },
    /// Let a user join.
    Join {
        /// Where.
        channel: Arc<str>,
        /// Who.
        user: Arc<str>,
    },
    /// Let a user leave.
    Leave {
        /// Where.
        channel: Arc<str>,
        /// Who.
        user: Arc<str>,
        /// Her parting words.
        reason: Option<String>,
    },
    /// Throw a user out, by the user of the import: ranks in IRC are not known.
    Kick {
        /// Where.
        channel: Arc<str>,
        /// Who.
        user: Arc<str>,
        /// By whom it was, and why.
        reason: String,
    },
    /// Set the topic, by the user of the import.
    SetTopic {
        /// Where.
        channel: Arc<str>,
        /// The topic.
        topic: String,
    },
    /// Let a user say something.
    Send {
        /// Where.
        channel: Arc<str>,
        /// Who.
        user: Arc<str>,
        /// How.
        kind: MessageKind,
        /// What.
        body: String,
    },
}

/// How something is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MessageKind {
    /// `m.text`
    Text,
    /// `m.emote`
    Emote,
    /// `m.notice`
    Notice,
}
