//! The events of a room that several servers share, and the state that follows from them.
//!
//! **Invariant:** nothing here does I/O, reads a clock, draws randomness or is asynchronous.
//! **Invariant:** nothing here knows the log: the write side folds a graph from a room's stream.

mod chains;
mod graph;
mod judge;
mod leaves;
mod nodes;
mod order;
mod resolve;
mod rules;
mod states;
#[cfg(test)]
mod tests;

pub use self::{
    graph::Graph,
    judge::{Decided, Verdict},
    leaves::LEAVES_MAX,
    resolve::Work,
};
