//! Other servers that mean harm. The table in `docs/federation-abuse.md` lists what each gets.

mod events;
mod forge;
mod keys;
mod rooms;
