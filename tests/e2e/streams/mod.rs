//! Streams, timelines, and the seam between them.

pub(crate) mod consumers;
mod late;
pub(crate) mod resume;
mod scroll;
mod seam;
mod sockets;
mod syncing;
mod typed;
