//! What an import asks of the command layer.

use std::sync::Arc;

use rookery_log::{CommandId, Millis};
use serde::{Deserialize, Serialize};

/// One command, with what makes it happen once, at its own time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// The same for the same line, in every run.
    pub id: CommandId,
    /// When it happened.
    pub at: Millis,
    /// What to do.
    pub command: Command,
}

/// The steps of one line of a log: its own, and before it those that make it true.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LineSteps {
    /// The file that it comes from.
    pub file: Arc<str>,
    /// The line, from 1.
    pub line: u64,
    /// The steps, in order. The last one bears the name of the line.
    pub steps: Vec<Step>,
}

/// What to do. Users are named by their localparts, rooms by their keys.
///
/// A localpart with [`MAPPED_MARK`](crate::irc::MAPPED_MARK) before it is that of a user with an account, for whom the
/// operator lets the import act.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Command {
    /// Make the public room of a channel, by the user of the import, who is its head.
    CreateRoom {
        /// What tells the room from others.
        room: Arc<str>,
        /// Its name.
        name: String,
        /// The network of the channel, which the name says too where another room has the first of the aliases.
        network: Option<String>,
        /// Localparts of aliases, of which it gets the first that is free.
        aliases: Vec<String>,
    },
    /// Make a user without a password, unless there is one.
    RegisterUser {
        /// Who.
        user: Arc<str>,
        /// The nick.
        displayname: String,
    },
    /// Change a user's display name, here and in rooms.
    Rename {
        /// Who.
        user: Arc<str>,
        /// The new nick.
        displayname: String,
        /// The rooms of the import that the user is in.
        rooms: Vec<Arc<str>>,
    },
    /// Let a user join.
    Join {
        /// Where.
        room: Arc<str>,
        /// Who.
        user: Arc<str>,
    },
    /// Let a user leave.
    Leave {
        /// Where.
        room: Arc<str>,
        /// Who.
        user: Arc<str>,
        /// The parting words.
        reason: Option<String>,
    },
    /// Throw a user out, by the user of the import: ranks in IRC are not known.
    Kick {
        /// Where.
        room: Arc<str>,
        /// Who.
        user: Arc<str>,
        /// By whom it was, and why.
        reason: String,
    },
    /// Set the topic, by the user of the import.
    SetTopic {
        /// Where.
        room: Arc<str>,
        /// The topic.
        topic: String,
    },
    /// Let a user say something.
    Send {
        /// Where.
        room: Arc<str>,
        /// Who.
        user: Arc<str>,
        /// How.
        kind: MessageKind,
        /// What.
        body: String,
    },
}

impl Command {
    /// Whether the step says something that later lines need, also when its effect is there.
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

/// How something is said.
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
