//! The commands about other servers, and about this one among them.

use clap::Subcommand;
use rookery_domain::OwnedServerName;
use serde::{Deserialize, Serialize};

/// Operations on federation. The server has to run.
#[derive(Clone, Debug, PartialEq, Eq, Subcommand, Serialize, Deserialize)]
pub enum FederationCommand {
    /// Show the queues for other servers: waiting events, failures, the next try, keys
    #[command(after_help = "\
Examples:
  rookery federation status
  rookery federation status example.org")]
    Status {
        /// Only this server, with its keys
        server: Option<OwnedServerName>,
    },
    /// Try a server again now
    #[command(after_help = "\
Example:
  rookery federation retry example.org")]
    Retry {
        /// The name of the server
        server: OwnedServerName,
    },
    /// Find a server step by step, and ask it for its version and its keys; fails if it does not answer
    #[command(after_help = "\
Example:
  rookery federation test matrix.org")]
    Test {
        /// The name of the server
        server: OwnedServerName,
    },
}

/// Operations on this server. It has to be stopped.
#[derive(Clone, Debug, PartialEq, Eq, Subcommand)]
pub enum ServerCommand {
    /// Sign with another key from now on; the old one is published as old
    #[command(after_help = "\
Example:
  rookery server rotate-key --data /srv/chat

The server has to be stopped. Other servers go on verifying old events by the old key, which identity.json
keeps. Positions and cursors of clients are encrypted with the key: clients start again from initialSync.")]
    RotateKey,
}
