//! Commands of users in rooms.

mod aliases;
mod bounds;
mod changes;
mod departure;
pub(in crate::tests) mod redactions;
mod relations;
mod upgrades;
