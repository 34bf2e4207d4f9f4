//! Calls, as one viewer may see them.
//!
//! **Invariant:** a viewer sees a call if they see its invite, and its end once it has ended: by the
//! rules for these events. A call from a user whom the viewer ignores is not shown, unless the viewer
//! answered it.
//! **Invariant:** a device that is not a party of a call, and does not ring, gets no signals of it.

mod active;
mod past;
#[cfg(test)]
mod tests;

pub use self::{active::RoomCall, past::PastCalls};
