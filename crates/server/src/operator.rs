//! Commands of operators on a data directory, with or without a running server.
//!
//! **Invariant:** the same code executes a command in both cases. With a running server, the
//! program sends the command through a socket that only the owner of the directory can open.
//! **Invariant:** the program asks a running server before it touches the data directory.

mod execute;
mod federation;
mod output;
mod receive;
mod services;
mod socket;
mod status;

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::cli::{FederationCommand, UserCommand};
pub use crate::import::ImportPart;

pub(crate) use self::socket::answer_of;
pub use self::{
    execute::execute,
    output::{Output, Reply, show},
    receive::{Sent, ServerKeyFile, read_sent},
    services::ServiceOrder,
    socket::{SOCKET_NAME, ask, ask_running, bind, reach, serve},
};

/// A command of an operator.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Order {
    /// Build all read models again.
    Rebuild,
    /// Fold the streams again that a read model has parked.
    Retry,
    /// Check the log, and compare the read models with a rebuild.
    Verify,
    /// Print the whole log as NDJSON.
    Export,
    /// Report whether each part works.
    Status,
    /// Print commits.
    Tail {
        /// After this position; `None` for the last ten.
        after: Option<u64>,
        /// Also follow later commits.
        follow: bool,
    },
    /// Receive events of other servers.
    Receive {
        /// The keys of those servers.
        keys: ServerKeyFile,
        /// The events.
        sent: Vec<Sent>,
    },
    /// Execute a part of an import.
    Import {
        /// The part.
        part: ImportPart,
    },
    /// Add or change services.
    Service {
        /// The operation.
        order: ServiceOrder,
    },
    /// Look at federation.
    Federation {
        /// The operation.
        command: FederationCommand,
    },
    /// Create or change accounts.
    User {
        /// The operation.
        command: UserCommand,
        /// The password, for commands that set one.
        password: Option<String>,
    },
}

impl Order {
    /// Whether the command reads every record of the log, and so would meet every damage.
    pub(crate) const fn reads_all(&self) -> bool {
        matches!(self, Self::Rebuild | Self::Verify | Self::Export)
    }

    /// Whether the command can stop at any moment, because it changes no user data.
    pub(crate) const fn changes_nothing(&self) -> bool {
        match self {
            Self::Rebuild
            | Self::Retry
            | Self::Verify
            | Self::Export
            | Self::Status
            | Self::Federation { .. }
            | Self::Tail { .. } => true,
            Self::User { command, .. } => matches!(command, UserCommand::List { .. }),
            Self::Service { order } => matches!(order, ServiceOrder::List),
            Self::Receive { .. } | Self::Import { .. } => false,
        }
    }
}

/// The target of a command's output.
pub enum Destination {
    /// To the standard output.
    Screen,
    /// To a new file.
    File(PathBuf),
}
