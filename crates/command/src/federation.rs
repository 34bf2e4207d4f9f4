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
mod join;
mod local;
mod past;
mod receive;

use parking_lot::Mutex;

#[cfg(any(test, feature = "testing"))]
pub(crate) use self::graphs::RoomGraph;
pub use rookery_graph::{
    EARLY_BYTES_MAX, EARLY_PER_SERVER_BYTES_MAX, HELD_BYTES_MAX, HELD_PER_ROOM_BYTES_MAX,
    HELD_PER_ROOM_MAX, HELD_PER_SERVER_BYTES_MAX, HeldBack, HeldEvent,
};
use rookery_graph::{Early, Held};

pub(crate) use rookery_ports::{Receipt, Received, ServerKeys};

use self::graphs::Graphs;
pub use self::{
    join::{STATED_BYTES_MAX, STATED_EVENTS_MAX, StateIds, StatedState},
    past::{PAST_EVENTS_MAX, PastPage, StatedPast, TakenPast},
};

/// The state between two deliveries. All of it can be lost.
pub(crate) struct Federation {
    pub(crate) graphs: Graphs,
    held: Mutex<Held>,
    early: Mutex<Early>,
}

impl Federation {
    pub(crate) fn new(graphs_bytes_max: usize) -> Self {
        Self {
            graphs: Graphs::new(graphs_bytes_max),
            held: Mutex::default(),
            early: Mutex::default(),
        }
    }
}
