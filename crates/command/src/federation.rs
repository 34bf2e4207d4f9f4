//! Events of other servers: how they get into the log.
//!
//! What comes in is checked by itself first (form, signatures, content hash), then against the
//! room's graph (what authorises it, what it follows, the state by now). Each answer says what
//! became of the event.
//!
//! Source: Matrix server-server specification, "Checks performed on receipt of a PDU".
//!
//! **Invariant:** an event of a user of this server is never taken from another server.
//! **Invariant:** what is decided here is appended under the same guard as commands of users; a lost
//! race is decided anew.

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

/// What the pipeline keeps between two deliveries. All of it can be lost.
pub(crate) struct Federation {
    graphs: Graphs,
    held: Mutex<Held>,
}

impl Federation {
    pub(crate) fn new(graphs_bytes_max: usize) -> Self {
        Self { graphs: Graphs::new(graphs_bytes_max), held: Mutex::default() }
    }
}
