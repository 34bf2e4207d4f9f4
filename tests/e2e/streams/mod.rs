//! Streams, timelines, and the seam between them.

mod late;
pub(crate) mod resume;
mod scroll;
mod seam;
mod sockets;
mod syncing;
mod typed;
