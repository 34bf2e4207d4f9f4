//! What operators ask of a data directory, whether a server runs on it or not.
//!
//! **Invariant:** an order is carried out by the same code in both cases; where a server runs, the
//! order is sent there through a socket that only the owner of the directory can open.
//! **Invariant:** a running server is asked before the data directory is touched.

mod execute;
mod output;
mod receive;
mod socket;
mod status;

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::cli::UserCommand;
pub use crate::import::ImportPart;

pub(crate) use self::socket::answer_of;
pub use self::{
    execute::execute,
    output::{Output, Reply, show},
    receive::{Sent, ServerKeyFile, read_sent},
    socket::{SOCKET_NAME, ask, ask_running, bind, reach, serve},
};

/// An order.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Order {
    /// Build all read models anew.
    Rebuild,
    /// Check the log, and that the read models are what a rebuild gives.
    Verify,
    /// Print the whole log as NDJSON.
    Export,
    /// Say whether each part works.
    Status,
    /// Print commits.
    Tail {
        /// After this position; none for the last ten.
        after: Option<u64>,
        /// And those to come.
        follow: bool,
    },
    /// Take events of other servers.
    Receive {
        /// The keys of those servers.
        keys: ServerKeyFile,
        /// The events.
        sent: Vec<Sent>,
    },
    /// Take a part of an import.
    Import {
        /// The part.
        part: ImportPart,
    },
    /// Make or change accounts.
    User {
        /// What to do.
        command: UserCommand,
        /// The password, for commands that set one.
        password: Option<String>,
    },
}

impl Order {
    /// Whether the order reads every record of the log, and so would meet every damage.
    pub(crate) const fn reads_all(&self) -> bool {
        matches!(self, Self::Rebuild | Self::Verify | Self::Export)
    }

    /// Whether the order can be broken off at any moment: nothing that people wrote changes.
    pub(crate) const fn changes_nothing(&self) -> bool {
        match self {
            Self::Rebuild | Self::Verify | Self::Export | Self::Status | Self::Tail { .. } => true,
            Self::User { command, .. } => matches!(command, UserCommand::List { .. }),
            Self::Receive { .. } | Self::Import { .. } => false,
        }
    }
}

/// Where an order's printed lines go.
pub enum Destination {
    /// To the standard output.
    Screen,
    /// To a new file.
    File(PathBuf),
}
