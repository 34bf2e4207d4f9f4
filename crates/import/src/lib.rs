//! Imports: foreign conversations as commands, and their execution.
//!
//! **Invariant:** an import goes through the same decisions as live commands.
//! **Invariant:** an import never acts for users with accounts, unless the operator says so.

mod apply;
mod command;
pub mod irc;
mod summary;

pub use self::{
    apply::{Applied, Failed, Importer, Refusal, Target},
    command::{Command, LineSteps, MessageKind, Step},
    summary::{COMPLAINTS_LISTED_MAX, Category, Complaint, Complaints, Implied, Summary},
};
