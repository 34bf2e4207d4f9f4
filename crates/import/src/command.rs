//! The requests of an import to the command layer.

use std::sync::Arc;

use rookery_log::{CommandId, Millis};
use serde::{Deserialize, Serialize};

/// One command at its own time, with the ID that makes it happen once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// Equal for the same line in every run.
    pub id: CommandId,
    /// The time of the line.
    pub at: Millis,
    /// The command.
    pub command: Command,
}

/// The steps of one line of a log: implied steps, and then the line's own.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LineSteps {
    /// The file of the line.
    pub file: Arc<str>,
    /// The line, from 1.
    pub line: u64,
    /// The steps, in order. The last one has the name of the line.
    pub steps: Vec<Step>,
}

/// One step. Users are named by their localparts, rooms by their keys.
///
/// A localpart with the prefix [`MAPPED_MARK`](crate::irc::MAPPED_MARK) is that of a user with an account, for whom
/// the operator lets the import act.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Command {
    /// Create the public room of a channel. Its creator is the user of the import.
    CreateRoom {
        /// The key that identifies the room.
        room: Arc<str>,
        /// Its name.
        name: String,
        /// The network of the channel. The room's name includes it if another room has the first of the
        /// aliases.
        network: Option<String>,
        /// Localparts of aliases; the room gets the first free one.
        aliases: Vec<String>,
    },
    /// Create a user without a password, unless it exists.
    RegisterUser {
        /// The new user.
        user: Arc<str>,
        /// The nick.
        displayname: String,
    },
    /// Change a user's display name, here and in rooms.
    Rename {
        /// The user.
        user: Arc<str>,
        /// The new nick.
        displayname: String,
        /// The user's rooms of the import.
        rooms: Vec<Arc<str>>,
    },
    /// Let a user join.
    Join {
        /// The key of the room.
        room: Arc<str>,
        /// The user.
        user: Arc<str>,
    },
    /// Let a user leave.
    Leave {
        /// The key of the room.
        room: Arc<str>,
        /// The user.
        user: Arc<str>,
        /// The reason.
        reason: Option<String>,
    },
    /// Remove a user from the room. The user of the import does it, since it does not know ranks in
    /// IRC.
    Kick {
        /// The key of the room.
        room: Arc<str>,
        /// The user.
        user: Arc<str>,
        /// The kicker and the reason.
        reason: String,
    },
    /// Set the topic. The user of the import does it.
    SetTopic {
        /// The key of the room.
        room: Arc<str>,
        /// The topic.
        topic: String,
    },
    /// Send a message.
    Send {
        /// The key of the room.
        room: Arc<str>,
        /// The sender.
        user: Arc<str>,
        /// The kind of the message.
        kind: MessageKind,
        /// The text.
        body: String,
    },
}

impl Command {
    /// Whether later lines need the information of the step, also if the log already has its
    /// effect.
    #[must_use]
    pub const fn is_needed_again(&self) -> bool {
        matches!(self, Self::CreateRoom { .. })
    }

    /// The user whom the step is about.
    #[must_use]
    pub const fn user(&self) -> Option<&Arc<str>> {
        match self {
            Self::RegisterUser { user, .. }
            | Self::Rename { user, .. }
            | Self::Join { user, .. }
            | Self::Leave { user, .. }
            | Self::Kick { user, .. }
            | Self::Send { user, .. } => Some(user),
            Self::CreateRoom { .. } | Self::SetTopic { .. } => None,
        }
    }
}

/// The kind of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MessageKind {
    /// `m.text`
    Text,
    /// `m.emote`
    Emote,
    /// `m.notice`
    Notice,
}
