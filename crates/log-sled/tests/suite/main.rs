//! The log in sled: the contract, durability, crashes and damage, from outside.
#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

mod compacting;
mod contract;
mod crash;
mod damage;
mod disk;
mod durability;
mod folder;
mod records;
mod recovery;
mod support;
mod traced;
mod trials;
