//! The events of a room that several servers share, and the state that follows from them.
//!
//! **Invariant:** nothing here does I/O, reads a clock, draws randomness or is asynchronous.
//! **Invariant:** nothing here knows the log: the write side folds a graph from a room's stream.

mod chains;
mod graph;
mod incomplete;
mod judge;
mod leaves;
mod nodes;
mod order;
mod resolve;
mod rules;
mod states;
#[cfg(test)]
mod tests;
mod waiting;

pub use self::{
    graph::Graph,
    incomplete::{PAST_MEMBERS_MAX, PastEvent, Stated, in_order_of_auth},
    judge::{Decided, Verdict},
    leaves::LEAVES_MAX,
    resolve::Work,
    waiting::{
        EARLY_BYTES_MAX, EARLY_PER_SERVER_BYTES_MAX, Early, HELD_BYTES_MAX,
        HELD_PER_ROOM_BYTES_MAX, HELD_PER_ROOM_MAX, HELD_PER_SERVER_BYTES_MAX, Held, HeldBack,
        HeldEvent,
    },
};
