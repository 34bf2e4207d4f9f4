//! Crashes, damage, full disks, and what is left to do after a start.

mod begun;
pub(crate) mod crash;
mod damage;
mod full_disk;
mod rebuild;
mod takeover;
mod unfinished;
