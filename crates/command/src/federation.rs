//! Events of other servers, and their way into the log.
//!
//! An event is checked by itself first (form, signatures, content hash), then against the room's
//! graph (its auth events, the state before it, the current state). Each answer says what happened
//! to the event.
//!
//! Source: Matrix server-server specification, "Checks performed on receipt of a PDU".
//!
//! **Invariant:** an event of a user of this server is never taken from another server.
//! **Invariant:** decided events are appended under the same guard as commands of users; a lost
//! race is decided again.

mod delivery;
mod graphs;
mod held;
mod keys;
mod local;
mod receipt;
mod receive;

use parking_lot::Mutex;

#[cfg(any(test, feature = "testing"))]
pub(crate) use self::graphs::RoomGraph;
use self::{graphs::Graphs, held::Held};
pub use self::{
    held::{HELD_BYTES_MAX, HELD_PER_ROOM_BYTES_MAX, HELD_PER_ROOM_MAX, HeldBack},
    keys::{ServerKeys, TrustedKeys},
    receipt::{Receipt, Received},
};

/// The state between two deliveries. All of it can be lost.
pub(crate) struct Federation {
    graphs: Graphs,
    held: Mutex<Held>,
}

impl Federation {
    pub(crate) fn new(graphs_bytes_max: usize) -> Self {
        Self { graphs: Graphs::new(graphs_bytes_max), held: Mutex::default() }
    }
}
