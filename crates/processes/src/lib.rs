//! Work that follows from commits.
//!
//! A process reads the log from a checkpoint of its own and does the work that follows from each
//! commit of its kind. The command usually does this work itself before it answers, and reports it
//! ([`Progress::done`]). The process does the remaining work: after a crash, after a failure, after
//! another gateway's commit. Work that takes long goes on in a task of its own, and the checkpoint
//! waits for it ([`Progress::keep_open`]).
//!
//! **Invariant:** the checkpoint moves only after the effect is durable, so a crash repeats work
//! and never skips it.
//! **Invariant:** every effect is idempotent: commands have IDs that derive from process, position
//! and room.
//! **Invariant:** a damaged record is named, counted and skipped. It blocks no other work.
//! **Invariant:** opening and saving move no checkpoint past a commit with undone work.

mod checkpoint;
mod process;
mod progress;

pub use self::{
    checkpoint::Checkpoint,
    process::{Process, ProcessStatus, Undone},
    progress::{InHand, Progress},
};
